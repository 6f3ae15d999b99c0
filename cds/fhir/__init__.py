"""FHIR R4: from JSON to facts (`read`), from drafts to orders (`drafts`), and a developer's strict checks (`r4b`)."""
