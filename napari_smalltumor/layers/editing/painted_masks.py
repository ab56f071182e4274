"""The painted voxels of a region, kept while it or the region inside it is not in the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari.layers import Labels

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Kept:
    """The painted voxels of a layer, and its data at that time."""

    painted: Mask
    data: npt.NDArray[np.integer]


class PaintedMasks:
    """The painted voxels of outer regions by the layer of the region inside them.

    A layer that the user removes and restores keeps its undo history. Undoing a stroke on it must
    still remove what the stroke added to the outer regions.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Labels, WeakKeyDictionary[Labels, _Kept]]
        self._kept = WeakKeyDictionary()

    def keep(
        self, outer: Labels, inner: Labels, painted: Mask, data: npt.NDArray[np.integer]
    ) -> None:
        """Keep the painted voxels of an outer region, whose layer had these data."""
        of_outer = self._kept.setdefault(outer, WeakKeyDictionary())
        of_outer[inner] = _Kept(painted, data)

    def of(self, outer: Labels, inner: Labels) -> Mask | None:
        """The painted voxels, with what was painted meanwhile; None if none are kept."""
        kept = self._kept.get(outer, {}).get(inner)
        data = np.asarray(outer.data)
        if kept is None or kept.painted.shape != data.shape:
            return None
        return np.where(data != kept.data, data != 0, kept.painted)

    def forget(self, outer: Labels) -> None:
        """Keep nothing of a region whose mask was replaced."""
        self._kept.pop(outer, None)
