"""Document 2's REST API: feedback from its submission to its completion."""
