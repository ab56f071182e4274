"""What the questions about edits say of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari_smalltumor.layers.brain_mask import brain_mask_of

if TYPE_CHECKING:
    from napari.layers import Layer


def what_was_not_done(names: Iterable[str], layers: Iterable[Layer]) -> str:
    """That masks were not exported, and strokes on a brain mask not applied, with their names.

    Parameters
    ----------
    names : iterable of str
        Names of edited masks, for instance ``Pat ET``.
    layers : iterable of Layer
        The layers of the patient.
    """
    brain = brain_mask_of(layers)
    names = list(names)
    applied = [name for name in names if brain is not None and name == brain.name]
    exported = [name for name in names if name not in applied]
    parts = [
        f"not {verb}: {', '.join(own)}"
        for verb, own in (("exported", exported), ("applied", applied))
        if own
    ]
    return f"were {'; '.join(parts)}"
