"""Which images a mask was made of, as the files of masks record it.

A mask does not show whose it is: another patient's of the same name and grid looks as well placed.
So each file that is written of a case holds digests of its images. A digest is of the middle of the
image, which stays as it is if the brain mask is corrected, and does not depend on the order of the
axes, on the type of the values or on the name of the file. It tells nothing else of the patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.volumes.nifti import Volume
from smalltumor.geometry.grid import Grid, to_axes

_KEY = "smalltumor_images"
_AXES = "LPS"
_DIGITS = 32
_LEAST_FILLED = 0.5
"""Share of voxels in the middle of an image that are not 0; fewer do not tell the image."""


def digests_of_images(case: Case) -> dict[str, str]:
    """Digests of the images of a case by modality.

    An image whose middle is empty has none. A case of a mask alone has those of its file.
    """
    found = {m: image_digest(volume, case.grid) for m, volume in case.volumes.items()}
    return {m: digest for m, digest in found.items() if digest} or dict(case.labels_made_of)


def image_digest(image: npt.NDArray[Any], grid: Grid) -> str:
    """SHA-256 of the voxels in the middle of an image, (i, j, k); empty if most of them are 0.

    The middle is a quarter of the length of each axis.
    """
    oriented = to_axes(image, grid, _AXES)
    box = tuple(slice(3 * n // 8, max(3 * n // 8 + 1, n - 3 * n // 8)) for n in oriented.shape)
    with np.errstate(over="ignore"):
        middle = np.ascontiguousarray(oriented[box], dtype="<f4") + np.float32(0)  # no -0
    if np.count_nonzero(middle) < _LEAST_FILLED * middle.size or middle.min() == middle.max():
        return ""
    shape = json.dumps(oriented.shape).encode()
    return sha256(shape + middle.tobytes()).hexdigest()[:_DIGITS]


def comment_of(digests: Mapping[str, str]) -> str:
    """What a file of a mask records; empty if nothing is known of the images."""
    return json.dumps({_KEY: dict(sorted(digests.items()))}) if digests else ""


def recorded_images(volume: Volume) -> dict[str, str]:
    """The digests that the file of a mask records; empty if it records none."""
    for comment in volume.comments:
        try:
            content = json.loads(comment)
            found = content[_KEY].items()
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            continue
        return {str(modality): str(digest) for modality, digest in found}
    return {}


def are_others(recorded: Mapping[str, str], images: Mapping[str, str]) -> bool:
    """Whether a mask was made of other images than these, as far as that is known.

    One image in common is enough, in whatever role: the others may have been prepared again, left
    out, or exchanged.

    Parameters
    ----------
    recorded : mapping of str to str
        `recorded_images` of the mask.
    images : mapping of str to str
        `digests_of_images` of the case.
    """
    may_be_compared = bool(recorded.keys() & images.keys())
    return may_be_compared and not set(recorded.values()) & set(images.values())


def other_images_text(volumes: Sequence[Volume], case: Case) -> str:
    """A sentence about masks that were made of other images than those of a case; else empty."""
    recorded = {volume.path.name: recorded_images(volume) for volume in volumes}
    if not any(recorded.values()):
        return ""
    images = digests_of_images(case)
    names = [name for name, digests in recorded.items() if are_others(digests, images)]
    if not names:
        return ""
    were = "was" if len(names) == 1 else "were"
    return (
        f"{' and '.join(names)} {were} made of other images than those of {case.name}, such as "
        "another patient's of the same name"
    )
