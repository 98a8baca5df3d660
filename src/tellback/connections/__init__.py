"""Installed integrations: what is connected, with which sealed credentials."""
