"""Whatever is sent: at least so many requests, no unhandled exception, no 500, and each answer as the OpenAPI document has it."""
