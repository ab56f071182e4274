"""From series to a case: registration, brain extraction, corrections, and the files of the case."""
