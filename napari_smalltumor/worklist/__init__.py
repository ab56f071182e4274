"""The Worklist dock: the cases of a cohort, reviewed one after another."""
