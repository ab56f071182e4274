"""Results of which some regions are not yet in the viewer: they are added one at a time.

A file or a page that is written meanwhile would have ET, for example, without TC and WT.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

from smalltumor.errors import OutputError

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

_INCOMPLETE: WeakSet[Layer] = WeakSet()


class IncompleteResult:
    """The regions of a result that are in the viewer while others are added in a ``with`` block.

    Parameters
    ----------
    layers : iterable of Labels
        Those that are there at the start.
    """

    def __init__(self, layers: Iterable[Labels] = ()) -> None:
        self._layers = set(layers)
        _INCOMPLETE.update(self._layers)

    def add(self, layer: Labels) -> None:
        """Count a layer as one of the result."""
        self._layers.add(layer)
        _INCOMPLETE.add(layer)

    def complete(self) -> None:
        """End it before the block ends: the last region is about to be added."""
        _INCOMPLETE.difference_update(self._layers)
        self._layers.clear()

    def __enter__(self) -> IncompleteResult:
        return self

    def __exit__(self, *error: object) -> None:
        self.complete()


def check_complete(layers: Iterable[Layer], title: str) -> None:
    """Check that no region among these layers is of an incomplete result.

    Parameters
    ----------
    layers : iterable of Layer
    title : str
        Name of the patient, for the user.

    Raises
    ------
    OutputError
        If one is: a file that is written now would lack the others.
    """
    if is_incomplete(layers):
        raise OutputError(incomplete_text(title))


def incomplete_text(title: str) -> str:
    """Why nothing can be written of a patient at present."""
    return f"ET, TC and WT of {title} are still being added; try again in a moment"


def is_incomplete(layers: Iterable[Layer]) -> bool:
    """Whether one of these layers is of a result of which other regions are being added."""
    return any(layer in _INCOMPLETE for layer in layers)
