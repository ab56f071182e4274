"""Paths without symbolic links to folders, so that a case has one place whatever leads to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smalltumor.data.naming.case_files import CaseFiles


def real_path(path: Path) -> Path:
    """A folder without links, or a file in such a folder.

    A link to a file is kept: its name and its neighbours tell which case it belongs to.
    """
    try:
        return path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    except (OSError, RuntimeError):  # a loop of links, which reading reports
        return path


def with_real_paths(files: CaseFiles) -> CaseFiles:
    """The same files of a case, in folders without links."""
    return replace(
        files,
        modalities={m: [real_path(p) for p in paths] for m, paths in files.modalities.items()},
        stacked=None if files.stacked is None else real_path(files.stacked),
        labels=[real_path(path) for path in files.labels],
    )
