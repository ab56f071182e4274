"""Digests that tell a case from others: by its files and images, or by its images alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid

from napari_smalltumor.layers.metadata import identifying_files


@dataclass(frozen=True)
class CaseDigests:
    """Digests of a case, of sixteen hex digits.

    Parameters
    ----------
    case : str
        Of the name, the `identifying_files`, the voxels of these files and the grid. Other images
        in the same files have another digest.
    images : str, optional
        Of the voxels and the grid, whatever the files are called. None if they do not tell the case
        from others: two patients may have the same labels, or images of one value.
    """

    case: str
    images: str | None


def digests_of(case: Case) -> CaseDigests:
    """The digests of a case."""
    files = identifying_files(case)
    paths = tuple((name, str(path)) for name, path in sorted(files.items()) if path is not None)
    affine = np.round(np.asarray(case.grid.affine, float), 3)
    found = checksums(case).items()
    return _digests(case.name, paths, case.grid.shape, affine.tobytes(), _tells_apart(case), *found)


def digest_of_images(grid: Grid, checksums: Mapping[str, int]) -> str:
    """Digest of the voxels and the grid of images, as `CaseDigests.images`."""
    affine = np.round(np.asarray(grid.affine, float), 3)
    return _digest({**_grid(grid.shape, affine.tobytes()), "images": dict(checksums)})


def checksums(case: Case) -> dict[str, int]:
    """CRC-32 of the voxels of the images among the `identifying_files`, by their names.

    Those of labels if it is a case of labels alone.
    """
    found = {name: _checksum(case, path) for name, path in sorted(identifying_files(case).items())}
    return {name: checksum for name, checksum in found.items() if checksum is not None}


def _checksum(case: Case, path: Path | None) -> int | None:
    """CRC-32 of the voxels that were read from a file."""
    if path is not None and path in case.loaded_images:
        return case.loaded_images[path].checksum
    labels = case.loaded_labels
    return labels.checksum if labels is not None and labels.path == path else None


def _tells_apart(case: Case) -> bool:
    """Whether no other patient has the voxels of a case."""
    read = (case.loaded_images.get(path) for path in identifying_files(case).values() if path)
    return any(image is not None and not image.is_uniform for image in read)


@lru_cache(maxsize=64)
def _digests(
    name: str,
    paths: tuple[tuple[str, str], ...],
    shape: tuple[int, int, int],
    affine: bytes,
    tells_apart: bool,
    *images: tuple[str, int],
) -> CaseDigests:
    grid = _grid(shape, affine)
    files = {key: os.path.realpath(path) for key, path in paths}
    place = {"name": name, "files": files, **grid}
    if not images:
        return CaseDigests(_digest(place), None)
    voxels = {"images": dict(images)}
    own = _digest({**grid, **voxels}) if tells_apart else None
    return CaseDigests(_digest({**place, **voxels}), own)


def _grid(shape: tuple[int, int, int], affine: bytes) -> dict[str, Any]:
    return {"shape": shape, "affine": np.frombuffer(affine).reshape(4, 4).tolist()}


def _digest(identity: Mapping[str, Any]) -> str:
    return sha256(json.dumps(identity).encode("utf-8", "surrogatepass")).hexdigest()[:16]
