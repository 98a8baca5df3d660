"""The schema registry: every payload version as a strict model."""
