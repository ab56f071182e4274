"""What made a mask, as the files of masks record it: the network, and whether it was edited.

The record is a comment in the header of the file, beside that of
`smalltumor.data.identity.image_digests`. It holds no path and no name of a person. Programs that
change a mask may keep its header; so it also holds a digest of the labels, and a mask with others
counts as edited.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import Volume
from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.grid import Grid, to_axes
from smalltumor.version import PACKAGE

AlgorithmType = Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]
"""DICOM's Segment Algorithm Type: as a network gave it, edited by people, drawn by people."""

_KEY = "smalltumor_made_by_1"
"""The number is the version of the record."""
_AXES = "LPS"
_DIGITS = 16
_SHOWN_DIGITS = 8
_LONGEST_NAME = 64  # as a long string of DICOM
_LARGEST, _ROUNDING = 2**31 - 1, 0.01
"""Of labels, and of floats that are labels: the largest, and the largest distance from one."""


@dataclass(frozen=True)
class MadeBy:
    """What made a mask; an empty text is not known.

    Parameters
    ----------
    algorithm_type : {"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"}
    weights : str
        Name of the weights in their card.
    digest : str
        First 16 digits of the SHA-256 of the file of the weights.
    version : str
        Of this package, when the network ran.
    """

    algorithm_type: AlgorithmType
    weights: str = ""
    digest: str = ""
    version: str = ""

    @classmethod
    def network(cls, weights: str, digest: str, version: str) -> MadeBy:
        """A mask as a network gave it; `digest` is of any length."""
        return cls("AUTOMATIC", _printable(weights), digest[:_DIGITS], version)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> MadeBy:
        """Read `as_json`; raises ValueError, KeyError, TypeError or AttributeError."""
        algorithm_type = content["algorithm_type"]
        if algorithm_type not in get_args(AlgorithmType):
            raise ValueError(f"{algorithm_type} is no algorithm type")
        keys = ("weights", "weights_sha256", "version")
        return cls(algorithm_type, *(_printable(content.get(key) or "") for key in keys))

    @property
    def edited(self) -> MadeBy:
        """The same after edits."""
        if self.algorithm_type != "AUTOMATIC":
            return self
        return replace(self, algorithm_type="SEMIAUTOMATIC")

    @property
    def model(self) -> str:
        """The weights, with the first digits of their digest; empty if no network is known."""
        digits = f" (SHA-256 {self.digest[:_SHOWN_DIGITS]})" if self.digest else ""
        return f"{self.weights}{digits}" if self.weights else ""

    def has_other_weights(self, other: MadeBy) -> bool:
        """Whether two masks are known to be of different weights."""
        if self.digest and other.digest:
            return self.digest != other.digest
        return bool(self.weights and other.weights) and self.weights != other.weights

    def __str__(self) -> str:
        """As a report prints it."""
        if self.algorithm_type == "MANUAL":
            return "drawn by hand"
        state = "not edited" if self.algorithm_type == "AUTOMATIC" else "edited"
        version = f", {PACKAGE} {self.version}" if self.version else ""
        return f"made by {self.model or 'an unknown network'}{version}, {state}"

    def as_json(self) -> dict[str, str | None]:
        """Plain JSON values; None is not known."""
        return {
            "algorithm_type": self.algorithm_type,
            "weights": self.weights or None,
            "weights_sha256": self.digest or None,
            "version": self.version or None,
        }


def joined(parts: Iterable[MadeBy | None]) -> MadeBy | None:
    """What made a mask of several files or layers: edited if one was, or is of unknown origin.

    None if nothing is known, or they are of different networks.
    """
    parts = list(parts)
    known = {part for part in parts if part is not None}
    if len(known) == 1 and None not in parts:
        return known.pop()
    edited = {part.edited for part in known}
    return edited.pop() if len(edited) == 1 else None


def made_by_comment(made_by: MadeBy | None, labels: npt.NDArray[Any], grid: Grid) -> str:
    """What a file of a mask records; empty if nothing is known.

    Parameters
    ----------
    made_by : MadeBy, optional
    labels : (i, j, k) array
        As they are written.
    grid : Grid
    """
    if made_by is None or labels.ndim != 3:
        return ""
    return json.dumps({_KEY: {**made_by.as_json(), "labels": _labels_digest(labels, grid)}})


def recorded_made_by(volume: Volume) -> MadeBy | None:
    """What the file of a mask records; None if it records nothing.

    A mask whose labels are not those that were written counts as edited.
    """
    for comment in volume.comments:
        try:
            content = json.loads(comment)[_KEY]
            made_by = MadeBy.from_json(content)
            digest = content["labels"]
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            continue
        return made_by if digest == _labels_digest(volume.data, volume.grid) else made_by.edited
    return None


def _printable(text: object) -> str:
    """A text on one line, of a length that can be printed: any program may have written it."""
    words = "".join(c if c.isprintable() else " " for c in str(text)).split()
    return " ".join(words)[:_LONGEST_NAME]


def _labels_digest(labels: npt.NDArray[Any], grid: Grid) -> str:
    """Digits of the SHA-256 of the labels within their bounding box.

    It does not depend on the order of the axes, on background around the box, or on the type of the
    values. Empty if they are no labels.
    """
    oriented = to_axes(labels, grid, _AXES)
    box = np.ascontiguousarray(oriented[bounding_box(oriented != 0)])
    if box.dtype.kind == "f":
        whole = np.clip(np.rint(box), 0, _LARGEST)
        if not np.abs(box - whole).max(initial=0) <= _ROUNDING:
            return ""
        box = whole
    shape = json.dumps(list(box.shape)).encode()
    return sha256(shape + box.astype("<i4").tobytes()).hexdigest()[:_DIGITS]
