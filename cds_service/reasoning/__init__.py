"""Record in, explained assessment out: pure, disease-neutral, and knowing nothing of FHIR."""
