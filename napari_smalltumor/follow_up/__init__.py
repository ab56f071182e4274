"""The Follow-up dock: the active patient's current scan against an earlier one."""
