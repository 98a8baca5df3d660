"""Finding things again: one search over feedback, signals, themes and posts, by words and by meaning."""
