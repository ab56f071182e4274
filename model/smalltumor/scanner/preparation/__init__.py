"""From series to a case: its steps, brain extraction, and corrections by hand."""
