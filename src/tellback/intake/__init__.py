"""The one door: sources and accept(batch), which validates, redacts, deduplicates, stores and enqueues."""
