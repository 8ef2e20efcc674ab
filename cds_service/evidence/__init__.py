"""What a clinician sees of one patient: blood counts and events on one axis of time, and why the service says what it says."""
