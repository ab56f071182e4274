"""Edits of labels layers: what may be edited, nesting of the regions, and undo."""
