"""Schema of this package."""
