"""Feedback that was accepted before it could be stored: what stands in a broker's messages, and storing it once."""
