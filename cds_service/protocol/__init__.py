"""CDS Hooks 2.0.1 on the wire: request, response, discovery, and their JSON Schemas."""
