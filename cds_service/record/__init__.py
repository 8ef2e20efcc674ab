"""The patient's chart as dated, coded, frozen facts; knows nothing of FHIR, HTTP or the medicine."""
