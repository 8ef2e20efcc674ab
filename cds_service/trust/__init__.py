"""Who is calling: registered CDS clients and the FHIR server that each may have asked. Authentication is not here yet."""
