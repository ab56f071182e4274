"""Masks of a case: which files hold them, whose they are, and which one is read."""
