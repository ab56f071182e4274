"""What is to be read, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData


@dataclass(frozen=True)
class LoadJob:
    """Files to read.

    Parameters
    ----------
    name : str
        Name of the case, for the user.
    key : hashable
        A job with the key of one that is waiting or being read is ignored.
    read : callable
        Reads the files in a worker, and returns the layers to add. It must not change the viewer.
    opened : callable
        Called with the layers that were added, if any.
    failed : callable
        Called with the exception that `read` raised.
    """

    name: str
    key: Hashable
    read: Callable[[], list[LayerData]]
    opened: Callable[[list[Layer]], None]
    failed: Callable[[Exception], None]
