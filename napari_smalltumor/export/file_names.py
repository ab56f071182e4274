"""Names of files that a user types: an ending is appended, or another kind of file refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.text import list_text

_OTHER_KINDS = (
    *(".nii", ".gz", ".mgz", ".mgh", ".mha", ".mhd", ".nrrd", ".nhdr", ".img", ".hdr", ".dcm"),
    *(".ima", ".h5", ".hdf5", ".npy", ".npz", ".mat", ".zip", ".tar", ".7z", ".tif", ".tiff"),
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".pdf", ".html", ".htm", ".txt", ".md"),
    *(".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".xls", ".xlsx", ".doc", ".docx"),
    *(".ppt", ".pptx", ".rtf", ".stl", ".obj", ".ply", ".vtk", ".vtp", ".pt", ".pth", ".py"),
    ".safetensors",
)
"""Endings of other kinds of files; what else follows a dot, as in ``P.Kurz``, is part of a name."""


def with_ending(path: Path, endings: Sequence[str], kind: str) -> Path:
    """The path, with the first of the endings appended if it has none.

    What follows a dot is an ending only if it is one of another kind of file.

    Parameters
    ----------
    path : Path
    endings : sequence of str
        Those of the files that are written, lower case.
    kind : str
        What is written, such as ``a mask``.

    Raises
    ------
    OutputError
        If the name has the ending of another kind of file.
    """
    name = path.name
    if name.lower().endswith(tuple(endings)):
        return path
    if name.lower().endswith(_OTHER_KINDS):
        raise OutputError(f"{name}: the name of {kind} ends in {list_text(endings, 'or')}")
    return path.with_name(name + endings[0])
