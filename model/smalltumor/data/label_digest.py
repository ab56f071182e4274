"""What a file of a mask records of its labels, by which a later change of them is noticed.

That is a digest of the labels within their bounding box, and where in the patient this box lies.
Neither depends on the order of the axes, on background around the box, on the type of the values,
or on the scheme in which the classes are stored. The place is kept as numbers, not as part of the
digest, because the affine of a file is rounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from smalltumor.geometry.boxes import bounding_box
from smalltumor.geometry.grid import Grid, reoriented, to_axes
from smalltumor.labels.schemes import READ_SCHEMES, WHOLE_TOLERANCE, LabelScheme, scheme_of_header

_DIGEST, _CORNERS = "labels", "corners_ras_mm"
_AXES = "LPS"
_DIGITS = 16
_DECIMALS = 3  # of a millimetre: micrometres
_NEAR = 0.5
"""Largest distance between the same corners, in voxel edges; labels move by an edge or more."""
_MAX_LABEL = 2**31 - 1
"""Largest label."""

_Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class LabelsRecord:
    """What a file records of its labels.

    Parameters
    ----------
    digest : str
        Empty if they are no labels.
    corners : (n, 3) float64
        First and last voxel of their bounding box, mm, RAS; none if nothing is labelled.
    """

    digest: str
    corners: npt.NDArray[np.float64]

    @classmethod
    def of(cls, labels: npt.NDArray[Any], grid: Grid, scheme: str = "") -> Self:
        """The record of labels as they are written.

        Parameters
        ----------
        labels : (i, j, k) array
        grid : Grid
        scheme : str
            Name of the label scheme in which they are written; empty if they are no tissue classes.
        """
        box, corners = _boxed(labels, grid)
        whole = _whole(box)
        if whole is None:
            return cls("", np.empty((0, 3)))
        known = scheme_of_header(scheme)
        written = whole if known is None else known.decode(whole)
        return cls(_digest(written), np.round(corners, _DECIMALS))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read `as_json`; raises what `DAMAGED` lists."""
        corners = np.array(content[_CORNERS], dtype=np.float64).reshape(-1, 3)
        return cls(content[_DIGEST], corners)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {_DIGEST: self.digest, _CORNERS: self.corners.tolist()}

    def is_of(self, labels: npt.NDArray[Any], grid: Grid, scheme: str = "") -> bool:
        """Whether labels are those of the record, and lie where they lay.

        Parameters
        ----------
        labels : (i, j, k) array
            As they are stored now.
        grid : Grid
        scheme : str
            Name of the label scheme that the header names now; empty if it names none.
        """
        box, corners = _boxed(labels, grid)
        whole = _whole(box)
        if whole is None or self.corners.shape != corners.shape:
            return False
        distance = np.linalg.norm(self.corners - corners, axis=-1).max(initial=0)
        if not distance <= _NEAR * grid.spacing.min():
            return False
        return any(_digest(meaning) == self.digest for meaning in _meanings(whole, scheme))


def _boxed(
    labels: npt.NDArray[Any], grid: Grid
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """The labels within their bounding box along `_AXES`, and its corners.

    The corners are the centres of its first and last voxel, (2, 3) in mm, RAS; (0, 3) if nothing is
    labelled.
    """
    oriented = to_axes(labels, grid, _AXES)
    box = bounding_box(oriented != 0)
    boxed = oriented[box]
    ends = [[span.start for span in box], [span.stop - 1 for span in box]] if boxed.size else []
    corners = reoriented(grid, _AXES).to_patient(np.array(ends).reshape(-1, 3))
    return np.ascontiguousarray(boxed), corners


def _whole(values: npt.NDArray[Any]) -> _Labels | None:
    """The values as integers; None if they are no labels."""
    if values.dtype.kind != "f":
        return values
    whole = np.clip(np.rint(values), 0, _MAX_LABEL)
    if not np.abs(values - whole).max(initial=0) <= WHOLE_TOLERANCE:
        return None
    labels: _Labels = whole.astype(np.int32)
    return labels


def _meanings(labels: _Labels, scheme: str) -> Iterator[_Labels]:
    """What stored values may stand for.

    If the header names a scheme that has them, that is how they are read. Otherwise, another
    program may have converted them to any scheme, or a mask of 0 and 1 to another value.
    """
    values = set(np.unique(labels).tolist())
    named = scheme_of_header(scheme, values)
    if named is not None and _has(named, values):
        yield named.decode(labels)
        return
    yield labels
    yield from (each.decode(labels) for each in READ_SCHEMES.values() if _has(each, values))
    if len(values - {0}) == 1:
        yield (labels != 0).astype(np.uint8)


def _has(scheme: LabelScheme, values: set[int]) -> bool:
    return values <= set(scheme.classes)


def _digest(labels: _Labels) -> str:
    shape = json.dumps(list(labels.shape)).encode()
    return sha256(shape + labels.astype("<i4").tobytes()).hexdigest()[:_DIGITS]
