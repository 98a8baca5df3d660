"""What an integration or an engine may see: protocols, frozen types, errors. No Django."""
