"""The vault: what redaction took out, sealed under a key per person, for those who may see it."""
