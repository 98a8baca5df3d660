"""Workspaces, principals, external identities, roles, API keys and the audit trail."""
