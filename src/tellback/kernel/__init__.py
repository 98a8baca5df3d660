"""Ids, clock, text spans and errors: what every package may use. No Django, no I/O."""
