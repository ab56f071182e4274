"""The network that is exported computes what this package segments with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from smalltumor.data.preprocessing import preprocess
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.data.read_case import read_case
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.model_export.exported_network import ExportedNetwork
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.progress import ProgressReporter

MIDDLE = (slice(None), *(slice(32, 96),) * 3)


@torch.inference_mode()
def test_its_classes_are_those_of_segment_and_not_those_of_a_crop_padded_with_zeros(
    sample_folder: Path,
) -> None:
    checkpoint = load_checkpoint()
    crop = preprocess(read_case(sample_folder), checkpoint.preprocessing).array[MIDDLE]
    ours = TorchBackend(checkpoint, "cpu", torch.float32)(crop, ProgressReporter())
    image = torch.from_numpy(np.ascontiguousarray(crop))[None]
    exported = ExportedNetwork(checkpoint).eval()(image)[0].numpy()
    padded_with_zeros = checkpoint.network(image)[0].numpy()
    np.testing.assert_allclose(exported, ours.probabilities(), rtol=0, atol=1e-4)
    different = Probabilities(exported).classes() != ours.classes()
    assert np.count_nonzero(different) <= 2  # of equal probability, but for rounding
    assert np.abs(padded_with_zeros - exported).max() > 0.01
