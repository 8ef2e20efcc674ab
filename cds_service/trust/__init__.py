"""Who is calling: registered CDS clients, the tokens by which they are known, and the FHIR server that each may have asked."""
