"""Being an EHR: resolving a service's prefetch templates against a patient's data, and shifting a chart in time."""
