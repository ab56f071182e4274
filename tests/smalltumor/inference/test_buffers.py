"""Memory for the network's input: lent to one case at a time, and given back when idle."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, tuples
from smalltumor import random_checkpoint
from smalltumor.data.case import Case, read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.array_order import is_fortran_ordered
from smalltumor.geometry.grid import Grid
from smalltumor.inference import buffers, idle_timer, segment
from smalltumor.inference.buffers import Buffer, borrow_buffer
from smalltumor.models.config import NetworkConfig

SHAPES = tuples(*[integers(2, 5)] * 4)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    buffers._idle.cancel()
    buffers._kept.clear()
    yield
    buffers._idle.cancel()
    buffers._kept.clear()


@given(lists(SHAPES, min_size=1, max_size=5))
def test_arrays_of_any_shapes_in_turn_are_in_file_order_and_hold_what_is_put_in(
    shapes: list[tuple[int, int, int, int]],
) -> None:
    memory = Buffer()
    for shape in shapes:
        array = memory.array(shape)
        assert (array.shape, array.dtype) == (shape, np.float32)
        assert is_fortran_ordered(array)
        numbers = np.arange(array.size, dtype=np.float32).reshape(shape)
        array[...] = numbers
        np.testing.assert_array_equal(array, numbers)


def test_a_case_gets_the_memory_of_the_one_before_it() -> None:
    with borrow_buffer() as first:
        large = first.array((4, 8, 8, 8))
    with borrow_buffer() as second:
        assert np.shares_memory(large, second.array((4, 4, 8, 6)))


def test_two_cases_at_once_share_no_memory() -> None:
    with borrow_buffer() as first, borrow_buffer() as second:
        shape = (4, 8, 8, 8)
        assert not np.shares_memory(first.array(shape), second.array(shape))


def test_memory_comes_back_from_a_case_that_fails() -> None:
    with pytest.raises(ValueError, match="broken"), borrow_buffer() as first:
        raise ValueError("broken")
    with borrow_buffer() as second:
        assert second is first


def test_memory_is_given_back_when_no_case_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_timer, "IDLE_SECONDS", 0.01)
    with borrow_buffer() as lent:
        memory = weakref.ref(lent.array((4, 8, 8, 8)).base)
    del lent
    deadline = time.monotonic() + 10
    while memory() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
        gc.collect()
    assert memory() is None


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_nothing_of_one_case_is_seen_in_another(backend: str, sample_folder: Path) -> None:
    checkpoint = random_checkpoint(3, NetworkConfig(width=8, channels=16, groups=4))
    sample = read_case(sample_folder)

    def result(*box: slice) -> Segmentation:
        volumes = {name: volume[box] for name, volume in sample.volumes.items()}
        shape = next(iter(volumes.values())).shape
        case = Case("cut", volumes, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0])))
        return segment(case, checkpoint, backend=backend, device="cpu")  # type: ignore[arg-type]

    small = (slice(20, 90), slice(60, 110), slice(50, 90))  # the head's edge: empty voxels in it
    alone = result(*small)
    before = alone.probabilities()
    result(slice(80, 160), slice(60, 140), slice(40, 100))
    assert buffers._kept[0]._numbers.size > 4 * 80 * 80 * 48
    np.testing.assert_array_equal(result(*small).classes, alone.classes)
    buffers._kept[0]._numbers[...] = np.nan
    np.testing.assert_array_equal(alone.probabilities(), before)
