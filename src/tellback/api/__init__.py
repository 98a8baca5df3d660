"""The REST API, its description, and what operators' programs read."""
