"""Signals: what a raw item says, with the words that prove it, and what people corrected."""
