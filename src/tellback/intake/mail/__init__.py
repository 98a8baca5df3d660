"""Mail as feedback: what is taken in, what is ignored and counted, and which feedback an answer belongs to."""
