"""A case that was made of a scan: its files, its record, and the grids of its series."""
