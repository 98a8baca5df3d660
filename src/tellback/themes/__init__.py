"""Living clusters of signals: assignment, counters, titles, strength."""
