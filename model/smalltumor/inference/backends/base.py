"""What every backend offers: an array in, class scores out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from smalltumor.data.network_output import NetworkOutput
from smalltumor.inference.progress import ProgressReporter

Array = npt.NDArray[np.float32]

MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad alloc",
    "bad_alloc",
)


class InferenceBackend(Protocol):
    """A network, ready to run on one device."""

    backend: str
    device: str

    def __call__(self, array: Array, progress: ProgressReporter) -> NetworkOutput:
        """Run the network.

        Parameters
        ----------
        array : (channel, l, p, s) float32 array
            Each axis a multiple of 16; it is copied unless l is fastest in memory, see
            `file_order`.
        progress : ProgressReporter

        Returns
        -------
        NetworkOutput
            Of as many voxels.

        Raises
        ------
        Cancelled
            Soon after the caller asked to stop.
        """
        ...


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on whichever device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in MEMORY_WORDS)
