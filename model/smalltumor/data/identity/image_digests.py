"""Which images a mask was made of, as the files of masks record it.

A mask does not show whose it is: another patient's of the same name and grid looks as well placed.
So each file that is written of a case holds digests of its images. They are of blocks in the middle
of an image, and one block in common is enough: the others may hold the edge of the brain mask,
which is corrected. A digest does not depend on the order of the axes, on the type of the values or
on the name of the file. It tells nothing else of the patient.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.volumes.nifti import Volume, read_comments
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import CaseError
from smalltumor.files.damaged import DAMAGED
from smalltumor.geometry.grid import Grid, to_axes
from smalltumor.text import list_text

_KEY = "smalltumor_images_2"
"""The number is the version of the record. That of the first, one digest of the whole middle, has
none and is not read: it changed with each voxel of the brain mask there."""
_AXES = "LPS"
_PARTS = 3
"""Blocks along each axis."""
_DIGITS = 16
"""Hexadecimal digits of the SHA-256 of a block that are kept."""

_BETWEEN = ","

SUCH_AS_ANOTHER = "such as another visit's, or another patient's of the same name"
"""What other images than those of a case are most likely to be."""


def digests_of_images(case: Case) -> dict[str, str]:
    """Digests of the images of a case by modality.

    An image without a block that tells it has none. A case of a mask alone has those of its file.
    """
    found = {m: image_digest(volume, case.grid) for m, volume in case.volumes.items()}
    return {m: digest for m, digest in found.items() if digest} or dict(case.labels_made_of)


def image_digest(image: npt.NDArray[Any], grid: Grid) -> str:
    """Digests of the 27 blocks in the middle of an image, (i, j, k), between commas.

    The middle is a quarter of the length of each axis. A block with a voxel that is 0 or not finite
    is left empty, as background may be that the next brain mask moves. The text is empty if all
    blocks are.
    """
    oriented = to_axes(image, grid, _AXES)
    edges = [_edges(n) for n in oriented.shape]
    places = product(range(_PARTS), repeat=3)
    boxes = [tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, at, strict=True)) for at in places]
    digests = [_block_digest(oriented[box], oriented.shape, box) for box in boxes]
    return _BETWEEN.join(digests) if any(digests) else ""


def _edges(length: int) -> list[int]:
    """Where the blocks along an axis begin and end."""
    start = 3 * length // 8
    stop = max(start + 1, length - start)
    return [start + (stop - start) * part // _PARTS for part in range(_PARTS + 1)]


def _block_digest(block: npt.NDArray[Any], shape: Sequence[int], box: tuple[slice, ...]) -> str:
    """Digits of the SHA-256 of a block and its place; empty if it does not tell the image."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(block, dtype="<f4")
    if not values.size or not values.all() or not np.isfinite(values).all():
        return ""
    if values.min() == values.max():
        return ""
    place = json.dumps([list(shape), [side.start for side in box]]).encode()
    return sha256(place + values.tobytes()).hexdigest()[:_DIGITS]


def digests_of_t1ce(path: Path) -> dict[str, str]:
    """Digests of a T1CE that is read from its file; empty if that fails or it tells nothing."""
    try:
        image = read_volume(path)
    except CaseError:
        return {}
    digest = image_digest(image.data, image.grid) if image.data.ndim == 3 else ""
    return {REFERENCE: digest} if digest else {}


def comment_of(digests: Mapping[str, str]) -> str:
    """What a file of a mask records; empty if nothing is known of the images."""
    return json.dumps({_KEY: dict(sorted(digests.items()))}) if digests else ""


def recorded_images(volume: Volume) -> dict[str, str]:
    """The digests that the file of a mask records; empty if it records none."""
    return _digests_in(volume.comments)


def images_of_mask(path: Path) -> dict[str, str]:
    """As `recorded_images`, without reading the voxels; empty also if the file cannot be read."""
    try:
        return _digests_in(read_comments(path))
    except CaseError:
        return {}


def _digests_in(comments: Iterable[str]) -> dict[str, str]:
    for comment in comments:
        try:
            content = json.loads(comment)
            found = content[_KEY].items()
        except DAMAGED:
            continue
        return {str(modality): str(digest) for modality, digest in found}
    return {}


def are_other_images(recorded: Mapping[str, str], images: Mapping[str, str]) -> bool:
    """Whether a mask was made of other images than these, as far as that is known.

    A T1CE of which nothing is left, in whatever role, is another one: the mask is drawn on it, and
    would lie in another place. Of the others, one block of one image is enough: they may have been
    prepared again, left out, or exchanged.

    Parameters
    ----------
    recorded : mapping of str to str
        `recorded_images` of the mask.
    images : mapping of str to str
        `digests_of_images` of the case.
    """
    own = blocks_of(images)
    if _may_be_compared(recorded, images, [REFERENCE]):
        return not blocks_of({REFERENCE: recorded[REFERENCE]}) & own
    return _may_be_compared(recorded, images, images) and not blocks_of(recorded) & own


def _may_be_compared(
    recorded: Mapping[str, str], images: Mapping[str, str], modalities: Iterable[str]
) -> bool:
    """Whether both have a block at the same place of one of these modalities."""
    return any(
        one and other
        for modality in recorded.keys() & images.keys() & set(modalities)
        for one, other in zip(
            recorded[modality].split(_BETWEEN), images[modality].split(_BETWEEN), strict=False
        )
    )


def changed_images(recorded: Mapping[str, str], images: Mapping[str, str]) -> list[str]:
    """Modalities whose image was changed since a mask of these images was made.

    Such as by another registration or brain mask; a change that leaves the middle of an image as it
    was is not noticed. Empty of a mask of other images.
    """
    if are_other_images(recorded, images):
        return []
    return [m for m, digest in images.items() if recorded.get(m, digest) != digest]


def share_an_image(recorded: Mapping[str, str], images: Mapping[str, str]) -> bool:
    """Whether a mask is known to be of these images: one of them, and T1CE is not another one."""
    in_common = blocks_of(recorded) & blocks_of(images)
    return bool(in_common) and not are_other_images(recorded, images)


def share_t1ce(recorded: Mapping[str, str], images: Mapping[str, str]) -> bool:
    """Whether a mask is known to be made of the T1CE, on whose grid it is drawn."""
    return share_an_image(*({REFERENCE: each.get(REFERENCE, "")} for each in (recorded, images)))


def images_in_common(images: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Modalities whose image, or a part of it, is one of the others, in whatever role.

    Parameters
    ----------
    images, others : mapping of str to str
        `digests_of_images`, or `recorded_images`, of two cases.
    """
    found = blocks_of(others)
    return [m for m, digests in images.items() if blocks_of({m: digests}) & found]


def blocks_of(digests: Mapping[str, str]) -> set[str]:
    """The digests of single blocks, of all modalities."""
    return blocks_in(digests.values())


def blocks_in(digests: Iterable[str]) -> set[str]:
    """The digests of single blocks in `image_digest` of several images."""
    return {block for text in digests for block in text.split(_BETWEEN)} - {""}


def joined_blocks(blocks: Iterable[str]) -> str:
    """A text of which `blocks_in` gives these blocks; their places in an image are lost."""
    return _BETWEEN.join(sorted(blocks))


def recorded_images_text(volumes: Sequence[Volume], case: Case, title: str = "") -> str:
    """A sentence about masks that were made of other images than those of a case; else empty.

    Parameters
    ----------
    volumes : sequence of Volume
    case : Case
    title : str
        What the case is called among others, such as ``P7 (visit2)``; by default its name.
    """
    recorded = {volume.path.name: recorded_images(volume) for volume in volumes}
    if not any(recorded.values()):
        return ""
    images = digests_of_images(case)
    names = [name for name, digests in recorded.items() if are_other_images(digests, images)]
    if not names:
        return ""
    text = made_of_others(names, f"those of {title or case.name}")
    return f"{text}, {SUCH_AS_ANOTHER}"


def made_of_others(masks: Sequence[str], images: str) -> str:
    """What is said of masks that were made of other images than these.

    Parameters
    ----------
    masks : sequence of str
        At least one.
    images : str
        Such as ``those of P7``.
    """
    were = "was" if len(masks) == 1 else "were"
    return f"{list_text(masks)} {were} made of other images than {images}"
