"""Digests that tell a case from others: by its place and images, or by its images alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from smalltumor.data.case import Case

from napari_smalltumor.layers.metadata import identifying_files


def digest_of_place(case: Case) -> str:
    """Sixteen hex digits for the name, the `identifying_files` and the grid of a case.

    Another patient's images in the same files have the same digest. Nothing is kept by it since
    `digest_of_case`.
    """
    return _digest(_place(case))


def digest_of_case(case: Case) -> str:
    """Sixteen hex digits for what `digest_of_place` tells, and the voxels of these files."""
    images = checksums(case)
    return _digest({**_place(case), "images": images} if images else _place(case))


def digest_of_images(case: Case) -> str | None:
    """Sixteen hex digits for the voxels and the grid, whatever the files are called.

    None if no image of the case was read from one of the `identifying_files`.
    """
    images = checksums(case)
    return _digest({**_grid(case), "images": images}) if images else None


def checksums(case: Case) -> dict[str, int]:
    """CRC-32 of the voxels of the images among the `identifying_files`, by their names.

    A case of labels alone is recognised by these.
    """
    found = {name: _checksum(case, path) for name, path in sorted(identifying_files(case).items())}
    return {name: checksum for name, checksum in found.items() if checksum is not None}


def _checksum(case: Case, path: Path | None) -> int | None:
    """CRC-32 of the voxels that were read from a file."""
    if path is not None and path in case.images_read:
        return case.images_read[path].checksum
    labels = case.labels_read
    return labels.checksum if labels is not None and labels.path == path else None


def _place(case: Case) -> dict[str, Any]:
    files = sorted(identifying_files(case).items())
    return {
        "name": case.name,
        "files": {name: os.path.realpath(path) for name, path in files if path is not None},
        **_grid(case),
    }


def _grid(case: Case) -> dict[str, Any]:
    return {"shape": case.grid.shape, "affine": np.round(case.grid.affine, 3).tolist()}


def _digest(identity: Mapping[str, Any]) -> str:
    return sha256(json.dumps(identity).encode("utf-8", "surrogatepass")).hexdigest()[:16]
