"""Reading the masks of a case: label files, their schemes, and masks of this program."""
