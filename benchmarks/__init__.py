"""How fast the service is: against a bare endpoint on the same server, against a peer, and phase by phase."""
