"""Real processes for tests: starting, killing and watching them; jobs that show what a worker did."""
