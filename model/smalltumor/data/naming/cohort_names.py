"""Names in a folder of a cohort's results that searches for masks must know.

``reviews`` holds masks of the same cases as the folder itself, as readers have corrected them.
"""

from __future__ import annotations

from pathlib import Path

SETTINGS = "cohort.json"
"""The settings of the run, by which a folder is known as one of results."""

REVIEWS = "reviews"
"""Folder of readers' masks, a folder each."""


def is_folder_of_reviews(folder: Path) -> bool:
    """Whether a folder holds readers' masks beside those of the network."""
    return folder.name == REVIEWS and (folder.parent / SETTINGS).is_file()
