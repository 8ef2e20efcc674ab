"""Half a year of a hospital, played through the service over HTTP, and what the report should say of it."""
