"""Why no run can start with the cases of a training folder."""

from __future__ import annotations

from pathlib import Path

from smalltumor.training.data.dataset_folder import NO_CASE_YET, DatasetListing

_NAMED = 3


def problem_of(folder: Path, listing: DatasetListing) -> str:
    """Why no run can start; empty if one can. It would fail on the first case with a problem."""
    if not folder.is_dir() or listing.problem == NO_CASE_YET:
        return listing.problem
    unusable = [case.name for case in listing.cases if case.problem is not None]
    if len(unusable) == len(listing.cases):
        return f"{folder.name} has no case that can be trained on"
    if not unusable:
        return ""
    more = f" and {len(unusable) - _NAMED} more" if len(unusable) > _NAMED else ""
    them = "it" if len(unusable) == 1 else "them"
    return (
        f"{', '.join(unusable[:_NAMED])}{more} cannot be trained on, as the list of cases says. "
        f"Correct {them}, or move {them} out of {folder.name}"
    )
