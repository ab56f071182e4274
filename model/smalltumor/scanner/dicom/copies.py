"""DICOM files that are there twice, as after an archive was exported into one folder again."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from smalltumor.errors import CaseError
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.dicom.headers import DicomImage
from smalltumor.scanner.dicom.pixels import read_pixels
from smalltumor.scanner.series import StoredFrame


def find_copies(images: Iterable[DicomImage]) -> dict[Path, Path]:
    """Find the files that hold what another one holds.

    Files are copies if their images have one SOP Instance UID, the same headers, as far as they are
    read, and the same pixels; others of one UID, which should not be, are no copies.

    Parameters
    ----------
    images : iterable of DicomImage

    Returns
    -------
    dict of Path to Path
        The first file with the same images, by copy.
    """
    by_file: dict[Path, list[DicomImage]] = defaultdict(list)
    for image in images:
        by_file[image.path].append(replace(image, path=Path()))
    originals: dict[tuple[DicomImage, ...], list[Path]] = defaultdict(list)
    copies = {}
    for path, content in by_file.items():
        alike = originals[tuple(content)]
        frames = [image.stored for image in content]
        original = next((p for p in alike if _hold_the_same(p, path, frames)), None)
        if original is None or not content[0].uid:
            alike.append(path)
        else:
            copies[path] = original
    return copies


def copies_warning(copies: Mapping[Path, Path], folder: Path) -> ScanWarning:
    """What is said about files in a folder that are left out as copies."""
    copy, original = (path.relative_to(folder) for path in next(iter(copies.items())))
    example = Identifying(f" ({copy.as_posix()} of {original.as_posix()})")
    if len(copies) == 1:
        return ScanWarning(("a DICOM file is left out as a copy of another", example))
    return ScanWarning((f"{len(copies)} DICOM files are left out as copies of others", example))


def _hold_the_same(first: Path, second: Path, frames: Sequence[StoredFrame]) -> bool:
    """Whether these frames, whose path does not count, have the same pixels in both files."""
    try:
        if filecmp.cmp(first, second, shallow=False):
            return True
        one, two = (read_pixels([f._replace(path=p) for f in frames]) for p in (first, second))
        return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    except (CaseError, OSError):
        return False
