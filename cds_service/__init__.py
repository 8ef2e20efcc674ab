"""A CDS Hooks service that weighs a patient's FHIR data by published rules and explains what it found."""

__version__ = "0.1.0"
