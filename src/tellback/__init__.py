"""Tellback: feedback in, tellback out."""
