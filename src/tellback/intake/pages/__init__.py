"""Pages of intake: where feedback comes from, and how the pipeline stands."""
