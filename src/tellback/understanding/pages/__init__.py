"""The settings page of understanding: which engine, its endpoint, its budget, and what became of its answers."""
