"""FHIR R4 in, patient record out: partial structs, one resource at a time, imperfect input as issues."""
