"""The triage record of each raw item: type, severity, priority, score, status and its transitions."""
