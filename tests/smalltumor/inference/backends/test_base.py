"""Behaviour that all backends share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.inference.backends.base import Array, InferenceBackend, is_plausible
from smalltumor.inference.backends.openvino_backend import OpenVinoBackend
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.inference.devices import cpu_has_bfloat16, has_openvino
from smalltumor.inference.fused.network import FusedNetwork
from smalltumor.models.checkpoint import Checkpoint, checkpoint_of
from smalltumor.models.config import NetworkConfig
from smalltumor.progress import ProgressReporter
from trained_like import trained_like_network

CONFIG = NetworkConfig(width=8, channels=16, groups=4)
CHECKPOINT = checkpoint_of(trained_like_network(CONFIG), Preprocessing(), {})

needs_openvino = pytest.mark.skipif(not has_openvino(), reason="the extra openvino is absent")
needs_bfloat16 = pytest.mark.skipif(not cpu_has_bfloat16(), reason="no bfloat16 instructions")
ALL = pytest.mark.parametrize("name", ["torch", pytest.param("openvino", marks=needs_openvino)])

Create = Callable[[Checkpoint, bool], InferenceBackend]
CREATE: dict[str, Create] = {
    "torch": lambda c, half: TorchBackend(c, "cpu", torch.bfloat16 if half else torch.float32),
    "openvino": lambda c, half: OpenVinoBackend(c, "bf16" if half else "f32"),
}


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder for this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def in_float32(cache_folder: None) -> dict[str, InferenceBackend]:
    """One backend of each kind."""
    names = ["torch", *(["openvino"] if has_openvino() else [])]
    return {name: CREATE[name](CHECKPOINT, False) for name in names}


@cache
def loaded(name: str, config: NetworkConfig, half: bool) -> InferenceBackend:
    """A backend that several tests share."""
    return CREATE[name](checkpoint_of(trained_like_network(config), Preprocessing(), {}), half)


def noise(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal((4, *shape), dtype=np.float32)


def logits_of(backend: InferenceBackend, array: Array) -> Array:
    output = backend(array, ProgressReporter())
    assert isinstance(output, HalfResolutionLogits)
    return output.logits


@pytest.mark.slow
@ALL
@given(
    order=st.sampled_from(list(permutations(range(4)))),
    steps=st.tuples(*[st.sampled_from([1, -1, 2])] * 3),
)
def test_the_memory_layout_does_not_change_the_logits(
    name: str,
    order: tuple[int, ...],
    steps: tuple[int, ...],
    in_float32: dict[str, InferenceBackend],
) -> None:
    values = noise(32, 16, 48)
    doubled = (4, 64, 32, 96)
    memory = np.zeros([doubled[axis] for axis in order], np.float32)
    view = memory.transpose(np.argsort(order))
    view = view[:, *(slice(None, None, step) for step in steps)][:, :32, :16, :48]
    view[...] = values
    expected = logits_of(in_float32[name], values)
    np.testing.assert_array_equal(logits_of(in_float32[name], view), expected)


@ALL
def test_logits_of_reversed_axes_are_those_of_the_network(
    name: str, in_float32: dict[str, InferenceBackend]
) -> None:
    array = noise(48, 32, 16)
    with torch.inference_mode():
        expected = FusedNetwork(CHECKPOINT.network)(torch.from_numpy(array)[None])[0].numpy()
    np.testing.assert_allclose(logits_of(in_float32[name], array), expected, atol=1e-3)


@needs_bfloat16
@ALL
@pytest.mark.parametrize("shape", [(16, 32, 48), (48, 32, 16), (32, 16, 32), (32, 32, 48)])
def test_half_precision_is_close_to_float32_for_every_shape(
    name: str, shape: tuple[int, int, int]
) -> None:
    compare_precisions(name, CONFIG, shape)


@pytest.mark.slow
@needs_bfloat16
@ALL
def test_half_precision_is_close_to_float32_at_full_width(name: str) -> None:
    compare_precisions(name, NetworkConfig(), (16, 32, 48))


def compare_precisions(name: str, config: NetworkConfig, shape: tuple[int, int, int]) -> None:
    expected = logits_of(loaded(name, config, False), noise(*shape))
    found = logits_of(loaded(name, config, True), noise(*shape))
    assert np.abs(found - expected).mean() < 0.02 * expected.std()


@needs_bfloat16
@ALL
def test_implausible_logits_in_half_precision_are_computed_again_in_float32(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = CREATE[name](CHECKPOINT, True)
    run = type(backend)._run  # type: ignore[attr-defined]
    precisions = []

    def faulty(self: object, array: Array, precision: object, progress: ProgressReporter) -> Array:
        precisions.append(precision)
        logits = run(self, array, precision, progress)
        if len(precisions) == 1:
            logits[0, 0, 0, 0] = 1e30
        return logits  # type: ignore[no-any-return]

    array = noise(32, 32, 48)
    expected = logits_of(loaded(name, CONFIG, False), array)
    monkeypatch.setattr(type(backend), "_run", faulty)
    np.testing.assert_allclose(logits_of(backend, array), expected, atol=1e-3)
    assert precisions in ([torch.bfloat16, torch.float32], ["bf16", "f32"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_logits_that_no_network_computes_are_implausible(value: float) -> None:
    logits = np.zeros((4, 2, 2, 2), np.float32)
    assert is_plausible(logits)
    logits[3, 1, 0, 1] = value
    assert not is_plausible(logits)
