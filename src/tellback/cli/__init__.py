"""The tellback command."""
