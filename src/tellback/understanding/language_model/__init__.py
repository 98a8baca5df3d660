"""The language model of a workspace: what it has set, what it has spent, and whether the endpoint answers."""
