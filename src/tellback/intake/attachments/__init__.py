"""Files that people send along: taken in, made harmless, kept, shown and removed."""
