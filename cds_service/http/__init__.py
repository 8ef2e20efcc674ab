"""The protocol over HTTP: bodies, discovery, hook calls, CORS, and errors as OperationOutcomes."""
