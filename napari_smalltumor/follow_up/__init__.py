"""The Follow-up dock: the active patient now against an earlier scan."""
