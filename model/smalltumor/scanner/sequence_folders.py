"""Folders of one scan that are named as its sequences and hold one volume each."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Acquisition
from smalltumor.scanner.volume_names import differ_only_in_sequence

_MAX_FOLDERS = 50
"""A scan has fewer series; a folder with more holds patients."""


def is_folder_of_sequences(folder: Path) -> bool:
    """Whether the subfolders of a folder are the sequences of one scan, by their names.

    They are if those that are named as a sequence (``T1``, ``T1CE``, ``T2``, ``FLAIR``) hold one
    volume each, no sequence is there twice, T1CE is among several of them, and the names of the
    files are those of one scan: two names may be of two patients.

    Parameters
    ----------
    folder : Path
        A folder without volumes of its own.
    """
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
        folders = [path for path in inside if path.is_dir()]
        if len(folders) > _MAX_FOLDERS or any(map(is_image_name, inside)):
            return False
        named = [(_sequence_of(path), path) for path in folders]
        sequences = [sequence for sequence, _ in named if sequence is not None]
        files = [_volumes(path) for sequence, path in named if sequence is not None]
    except OSError:
        return False
    return (
        all(len(volumes) == 1 for volumes in files)
        and REFERENCE in sequences
        and 1 < len(sequences) == len(set(sequences))
        and differ_only_in_sequence(path for volumes in files for path in volumes)
    )


def _sequence_of(folder: Path) -> str | None:
    return classify(Acquisition(folder=folder.name)).sequence


def _volumes(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if is_image_name(p) and not p.name.startswith(".")]
