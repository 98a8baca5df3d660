"""The import page: a file from upload to undo."""
