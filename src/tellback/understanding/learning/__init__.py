"""Learning from what people put right: a head for each workspace, guidance for prompts, and how good it all is."""
