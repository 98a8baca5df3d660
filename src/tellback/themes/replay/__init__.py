"""Deriving signals and themes anew into a shadow, showing the difference, and taking it over when told to."""
