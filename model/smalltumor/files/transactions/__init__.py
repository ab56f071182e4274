"""Files that are written together or not at all, and what is left of that after a kill."""
