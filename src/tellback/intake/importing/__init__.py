"""Bringing feedback in from a file: reading it, mapping its columns, storing it in resumable batches."""
