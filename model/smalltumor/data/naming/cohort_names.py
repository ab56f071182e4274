"""Names in a folder of a cohort's results that searches for masks must know.

``reviews`` holds masks of the same cases as the folder itself, as readers have corrected them.
"""

from __future__ import annotations

import re
from pathlib import Path

SETTINGS = "cohort.json"
"""The settings of the run, by which a folder is known as one of results."""

PAGE = "cohort.html"
"""The page of the results."""

REVIEWS = "reviews"
"""Folder of readers' masks, a folder each."""

REVIEW_TABLE = "reviews.csv"
"""Table of a reader's reviews in their folder; a mask counts once it has a row."""


_NUMBER = re.compile(r"_review(\d+)$")


def review_file(case: str, number: int) -> str:
    """Name of the mask of a review in its reader's folder."""
    return f"{case}_review{number}.nii.gz"


def case_and_number(name: str) -> tuple[str, int]:
    """The case of a file name without extension, and the number of the review, else 0."""
    found = _NUMBER.search(name)
    return (name, 0) if found is None else (name[: found.start()], int(found[1]))


def is_folder_of_reviews(folder: Path) -> bool:
    """Whether a folder holds readers' masks beside those of the network."""
    return folder.name == REVIEWS and (folder.parent / SETTINGS).is_file()
