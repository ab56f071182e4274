"""The interface of all backends, and the checks they share."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from smalltumor.data.probabilities.network_output import NetworkOutput
from smalltumor.progress import ProgressReporter

Array = npt.NDArray[np.float32]

BFLOAT16_MIN_EDGE = 32
"""Minimum edge, in voxels, of an array that is computed in bfloat16 on a CPU.

With an edge of 16, the features of the deepest stage are one voxel wide. At that size, AMX
convolutions of oneDNN 3.12 that are grouped or have a stride of 2 read uninitialised memory
(OpenVINO 2026 and PyTorch 2.13 both use them): results are wrong by up to 1e32, or the process
crashes.
"""

MAX_LOGIT = 65504.0
"""Maximum of float16. Logits of a trained network are below 100."""


class InferenceBackend(Protocol):
    """A network loaded on one device."""

    backend: str
    device: str

    def __call__(self, array: Array, progress: ProgressReporter) -> NetworkOutput:
        """Run the network.

        Parameters
        ----------
        array : (channel, l, p, s) float32 array
            Each axis a multiple of 16, in any memory layout. It is copied unless it is in
            Fortran order, see `smalltumor.geometry.array_order`.
        progress : ProgressReporter

        Returns
        -------
        NetworkOutput
            For the same voxels.

        Raises
        ------
        Cancelled
            If the caller cancels the run.
        """
        ...


def is_plausible(logits: Array) -> bool:
    """Whether all logits, of any shape, are finite and below `MAX_LOGIT`.

    In half precision, features can overflow, and faulty kernels can return arbitrary values;
    backends then compute the case again in float32.
    """
    return bool((np.abs(logits) < MAX_LOGIT).all())  # NaN compares false
