"""Dialogs of the export, and the questions before files are written."""
