"""The network for arrays whose first axis is fastest in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from smalltumor.data.network_output import HalfResolutionLogits
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.geometry.array_order import reverse_axes
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.inference.fused.axis_order import reverse_network_axes
from smalltumor.inference.fused.network import FusedNetwork
from smalltumor.inference.progress import ProgressReporter
from smalltumor.models.checkpoint import checkpoint_of
from smalltumor.models.config import NetworkConfig
from trained_like import trained_like_network

NARROW = NetworkConfig(width=8, channels=16, groups=4)


def test_the_turned_network_gives_turned_logits() -> None:
    network = trained_like_network(NARROW)
    x = torch.randn(1, 4, 48, 32, 16)
    with torch.inference_mode():
        expected = network.logits(x)
        turned = reverse_network_axes(network).logits(x.permute(0, 1, 4, 3, 2))
        same = network.logits(x.permute(0, 1, 4, 3, 2))
    torch.testing.assert_close(turned.permute(0, 1, 4, 3, 2), expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(same.permute(0, 1, 4, 3, 2), expected, atol=1e-2)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_labels_do_not_depend_on_the_order_in_memory(backend: str) -> None:
    checkpoint = checkpoint_of(trained_like_network(NARROW), Preprocessing(), {})
    array = np.random.default_rng(0).normal(size=(4, 48, 32, 16)).astype(np.float32)
    with torch.inference_mode():
        logits = FusedNetwork(checkpoint.network)(torch.from_numpy(array)[None])[0].numpy()
    if backend == "torch":
        backend = TorchBackend(checkpoint, "cpu", torch.float32)
    else:
        openvino_backend = pytest.importorskip("smalltumor.inference.backends.openvino_backend")
        pytest.importorskip("openvino", reason="the extra openvino is absent")
        backend = openvino_backend.OpenVinoBackend(checkpoint, "f32")
    file_order = reverse_axes(np.ascontiguousarray(reverse_axes(array)))
    orders = [array, file_order, array[:, ::-1].copy()[:, ::-1]]
    found = [backend(one, ProgressReporter()).classes() for one in orders]
    for classes in found:
        np.testing.assert_array_equal(classes, found[0])
    assert np.mean(found[0] == HalfResolutionLogits(logits).classes()) > 0.999
