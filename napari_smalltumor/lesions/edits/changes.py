"""Changes of layers that can be undone, in the layers' own undo histories as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_smalltumor.layers.editing import undo_history
from napari_smalltumor.layers.editing.undo_history import Indices

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True)
class Change:
    """Voxels of a layer whose values were changed, as the layer's undo history records it.

    Parameters
    ----------
    layer : Labels
    recorded : undo_history.Change
    """

    layer: Labels
    recorded: undo_history.Change

    @property
    def indices(self) -> Indices:
        """Indices of the changed voxels: three (n,) int arrays."""
        return self.recorded[0]

    @property
    def is_in_effect(self) -> bool:
        """Whether the layer's own undo has not taken the change back, and any voxel shows it."""
        indices, before, _ = self.recorded
        return undo_history.is_recorded(self.layer, self.recorded) and bool(
            np.any(np.asarray(self.layer.data)[indices] != before)
        )

    def undo(self) -> None:
        """Take the change back, in the layer's own undo history as well."""
        undo_history.take_back(self.layer, self.recorded)


def assign(layer: Labels, parts: Sequence[tuple[Indices, int]]) -> Change | None:
    """Assign a value to each group of voxels of a layer; None if they have it already."""
    indices = tuple(np.concatenate([part[axis] for part, _ in parts]) for axis in range(3))
    values = np.repeat([value for _, value in parts], [len(part[0]) for part, _ in parts])
    if np.array_equal(np.asarray(layer.data)[indices], values):
        return None
    layer.data_setitem(indices, values.tolist())
    return Change(layer, undo_history.last_change(layer))


@contextmanager
def one_undo_step(layers: Iterable[Labels]) -> Iterator[None]:
    """Context whose changes of a layer are one step of the layer's own undo history."""
    with ExitStack() as blocks:
        for layer in dict.fromkeys(layers):
            blocks.enter_context(layer.block_history())
        yield


def undo(changes: Sequence[Change]) -> None:
    """Restore deleted lesions, the outermost region first, as nesting requires."""
    for change in reversed(changes):
        change.undo()
