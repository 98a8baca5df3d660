"""The outbox: everything that leaves, each with a key, and the events that packages record for those above."""
