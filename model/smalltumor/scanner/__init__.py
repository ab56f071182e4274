"""From a scanner's images to a case: series, sequences, registration, brain extraction.

What it needs beyond the package comes with the extra ``raw`` and is imported when it is used.
"""
