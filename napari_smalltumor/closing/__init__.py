"""Closing a patient or the window, and the question about what would be lost."""
