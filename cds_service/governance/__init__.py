"""What governance sees: how often the service speaks, of what, what clinicians do with it, and where it lacks data."""
