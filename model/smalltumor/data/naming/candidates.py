"""Several files for one sequence: which one is taken, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smalltumor.data.naming.file_names import FileName
from smalltumor.data.volumes.nifti import is_nifti_name, read_spacing
from smalltumor.errors import CaseError
from smalltumor.text import list_text

NamedFile = tuple[Path, FileName]

THICKEST_3D_MM = 2.0
"""Largest voxel edge of an image that counts as 3D."""


def choose(
    candidates: Sequence[NamedFile], case: Sequence[NamedFile]
) -> tuple[list[NamedFile], tuple[str, str] | None]:
    """Choose one of several files for a sequence, if their names tell them apart.

    Brain-extracted or registered images go before others if as many sequences have them; then 3D
    images go before 2D ones, and later acquisitions before earlier ones.

    Parameters
    ----------
    candidates : sequence of NamedFile
        Files for one role.
    case : sequence of NamedFile
        All files of the case.

    Returns
    -------
    chosen : list of NamedFile
        One file; all of them if the names do not tell them apart.
    note : (str, str), optional
        The name of the chosen file, and the others with the reason.
    """
    variants = [parsed.variant for _, parsed in candidates]
    if len(candidates) < 2 or len(set(variants)) < len(variants):
        return list(candidates), None
    shared = {v: len({f.role for _, f in case if f.variant == v}) for v in variants}
    edges = {path: _largest_edge(path) for path, _ in candidates}

    def rank(file: NamedFile) -> tuple[int, bool, bool, str]:
        path, parsed = file
        return (
            shared[parsed.variant],
            parsed.variant.startswith("_"),
            edges[path] <= THICKEST_3D_MM,
            path.name,
        )

    best, *others = sorted(candidates, key=rank, reverse=True)
    ranks = rank(best)[:3], rank(others[0])[:3]
    reasons = ("more sequences have such a file", "it is processed", "it is 3D")
    differing = (r for r, a, b in zip(reasons, *ranks, strict=True) if a != b)
    names = list_text((path.name for path, _ in others), "or")
    return [best], (best[0].name, f"not {names}: {next(differing, 'it is the last by name')}")


def _largest_edge(path: Path) -> float:
    """Largest voxel edge in mm; infinite if the header does not tell."""
    try:
        if not is_nifti_name(path):
            return float("inf")
        return max(read_spacing(path))
    except CaseError:
        return float("inf")
