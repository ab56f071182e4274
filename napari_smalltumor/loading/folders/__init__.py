"""Folders of several cases, and folders of a scan."""
