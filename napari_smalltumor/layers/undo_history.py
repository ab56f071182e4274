"""Take one change of a labels layer back, whatever was painted since.

napari keeps a history for each layer, and its own undo takes back the last change only. There is no
public access to the changes before it.
"""

from __future__ import annotations

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
    return recorded[-1]  # type: ignore[no-any-return]


def is_recorded(layer: Labels, change: Change) -> bool:
    """Whether the layer's own undo would take the change back sooner or later."""
    return _step_of(layer, change) is not None


def take_back(layer: Labels, change: Change) -> None:
    """Take a change back, so that the layer's own undo continues with the changes around it.

    Nothing new is recorded: an undo after this one would otherwise repeat the change. Voxels that
    were painted since keep their values.
    """
    number = _step_of(layer, change)
    if number is None:
        return
    step = layer._undo_history[number]
    if number == len(layer._undo_history) - 1 and len(step) == 1:
        layer.undo()
        return
    step[:] = [other for other in step if other is not change]
    if not step:
        del layer._undo_history[number]
    indices, before, after = change
    unchanged = np.asarray(layer.data)[indices] == after
    layer.data[tuple(axis[unchanged] for axis in indices)] = before[unchanged]
    layer.refresh()


def _step_of(layer: Labels, change: Change) -> int | None:
    """The number of the step in the undo history that contains the change."""
    history = layer._undo_history
    steps = (n for n in reversed(range(len(history))) if any(x is change for x in history[n]))
    return next(steps, None)
