"""Take one change of a labels layer back, whatever was painted since.

napari keeps a history for each layer, and its own undo takes back the last change only. There is no
public access to the changes before it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari.layers import Labels

Indices = tuple[npt.NDArray[np.intp], ...]

Change = tuple[Indices, npt.NDArray[np.integer], Any]
"""A change as `Labels.data_setitem` records it: indices, values before, values after."""


def last_change(layer: Labels) -> Change:
    """The change that was recorded last, also within `Labels.block_history`."""
    recorded = layer._staged_history or layer._undo_history[-1]
    return recorded[-1]


def is_recorded(layer: Labels, change: Change) -> bool:
    """Whether the layer's own undo would take the change back sooner or later."""
    return _step_of(layer, change) is not None


def take_back(layer: Labels, change: Change) -> None:
    """Take a change back, so that the layer's own undo continues with the changes around it.

    The result is that of a history in which the change was never made. Nothing new is recorded: an
    undo after this one would otherwise repeat the change. Neither does the layer's own redo: it
    would repeat the part of one layer, of a change of several.
    """
    number = _step_of(layer, change)
    if number is None:
        return
    history = layer._undo_history
    step = history[number]
    later = [atom for each in islice(history, number + 1, None) for atom in each]
    undone = [atom for each in reversed(layer._redo_history) for atom in reversed(each)]
    step[:] = [other for other in step if other is not change]
    if not step:
        del history[number]
    indices, before, _ = change
    values = np.zeros(layer.data.shape, dtype=layer.data.dtype)
    values[indices] = before
    untouched = np.zeros(layer.data.shape, dtype=bool)
    untouched[indices] = True
    for atom in later:
        _correct(atom, values, untouched)
    layer.data[untouched] = values[untouched]
    for atom in undone:
        _correct(atom, values, untouched)
    layer.refresh()


def _correct(atom: Any, values: npt.NDArray[np.integer], untouched: npt.NDArray[np.bool_]) -> None:
    """Let a later change restore these values at voxels that no change before it has touched."""
    if hasattr(atom, "slice_key"):  # a stroke or a fill, which records a box
        inside = untouched[atom.slice_key]
        mask = np.ones(inside.shape, dtype=bool) if atom.mask is None else atom.mask
        old = atom.old_values.reshape(-1)
        old[inside[mask]] = values[atom.slice_key][mask][inside[mask]]
        inside[mask] = False
    else:
        indices, old, _ = atom
        touched = untouched[indices]
        old[touched] = values[indices][touched]
        untouched[indices] = False


def _step_of(layer: Labels, change: Change) -> int | None:
    """The number of the step in the undo history that contains the change."""
    history = layer._undo_history
    steps = (n for n in reversed(range(len(history))) if any(x is change for x in history[n]))
    return next(steps, None)
