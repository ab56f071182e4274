"""Networks that runs borrow."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.geometry.grid import Grid
from smalltumor.inference import pool, segment
from smalltumor.inference.backends import openvino_backend, torch_backend
from smalltumor.inference.devices import has_openvino
from smalltumor.inference.pool import Pool
from smalltumor.models.checkpoint import random_checkpoint
from smalltumor.models.config import NetworkConfig

BACKENDS = ["torch", *(["openvino"] if has_openvino() else [])]
PATIENCE_S = 60
CHECKPOINT = random_checkpoint(3, NetworkConfig(width=8, channels=16, groups=4))


@pytest.fixture(autouse=True)
def empty_pools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start with empty pools and an empty cache folder."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    pools: tuple[Pool, ...] = (torch_backend._backends, openvino_backend._backends)
    for one in pools:
        one.clear()
    yield
    for one in pools:
        one.clear()


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Switch threads every 10 microseconds, to provoke race conditions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Recorded:
    """An object that records whether its memory was released while it was borrowed."""

    def __init__(self) -> None:
        self.borrowed, self.released = False, threading.Event()
        self.released_while_borrowed = False

    def release_memory(self) -> None:
        self.released_while_borrowed |= self.borrowed
        self.released.set()


def in_threads(count: int, function: Callable[[], None]) -> None:
    """Run a function in several threads at once; an error in any of them is raised here."""
    errors: list[BaseException] = []
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait()
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_the_next_run_of_the_same_key_borrows_the_same_object() -> None:
    objects: Pool[Recorded] = Pool()
    with objects.borrow("a", Recorded) as first:
        pass
    with objects.borrow("a", Recorded) as second:
        assert second is first
    with objects.borrow("b", Recorded) as third:
        assert third is not first


def test_runs_at_the_same_time_borrow_different_objects() -> None:
    objects: Pool[Recorded] = Pool()
    with objects.borrow("a", Recorded) as first, objects.borrow("a", Recorded) as second:
        assert first is not second


def test_an_object_of_another_key_is_dropped_before_a_new_one_is_created() -> None:
    objects: Pool[Recorded] = Pool()
    with objects.borrow("a", Recorded) as first:
        dropped = weakref.ref(first)
    del first
    thread = objects._timer._timer  # as long as a thread takes to end after it was cancelled

    def create() -> Recorded:
        gc.collect()
        assert dropped() is None
        return Recorded()

    with objects.borrow("b", create):
        assert thread is not None


def test_an_object_is_returned_if_the_run_fails() -> None:
    objects: Pool[Recorded] = Pool()
    with pytest.raises(ValueError, match="broken"), objects.borrow("a", Recorded) as first:
        raise ValueError("broken")
    with objects.borrow("a", Recorded) as second:
        assert second is first


def test_an_idle_object_releases_its_memory_and_is_borrowed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.01)
    objects: Pool[Recorded] = Pool()
    with objects.borrow("a", Recorded) as idle:
        pass
    assert idle.released.wait(PATIENCE_S)
    with objects.borrow("a", Recorded) as again:
        assert again is idle


def test_a_borrowed_object_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.01)
    objects: Pool[Recorded] = Pool()
    with objects.borrow("a", Recorded) as first:
        with objects.borrow("a", Recorded) as second:
            pass
        assert second.released.wait(PATIENCE_S)
        with objects.borrow("a", Recorded) as third:
            assert third is second
            third.released.clear()
            with objects.borrow("a", Recorded) as fourth:
                pass
            assert fourth.released.wait(PATIENCE_S)  # the timer has fired
            assert not third.released.is_set()
    assert first.released.wait(PATIENCE_S)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.usefixtures("frequent_switches")
def test_timers_of_many_threads_release_only_what_nobody_has_borrowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 1e-4)
    objects: Pool[Recorded] = Pool()
    created: list[Recorded] = []

    def create() -> Recorded:
        new = Recorded()
        created.append(new)
        return new

    def run() -> None:
        for _ in range(200):
            with objects.borrow("a", create) as borrowed:
                assert not borrowed.borrowed
                borrowed.borrowed = True
                time.sleep(1e-4)
                borrowed.borrowed = False

    in_threads(3, run)
    assert not any(one.released_while_borrowed for one in created)


def cropped(sample: Case, *box: slice) -> Case:
    """A part of a case."""
    volumes = {name: volume[box] for name, volume in sample.volumes.items()}
    shape = next(iter(volumes.values())).shape
    return Case("crop", volumes, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0])))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_case_does_not_influence_the_next_one(backend: str, sample_folder: Path) -> None:
    sample = read_case(sample_folder)

    def result(*box: slice) -> Segmentation:
        case = cropped(sample, *box)
        return segment(case, CHECKPOINT, backend=backend, device="cpu")  # type: ignore[arg-type]

    small = (slice(20, 90), slice(60, 110), slice(50, 90))  # at the head's edge, with empty voxels
    alone = result(*small)
    before = alone.probabilities()
    result(slice(80, 160), slice(60, 140), slice(40, 100))
    np.testing.assert_array_equal(result(*small).classes, alone.classes)
    np.testing.assert_array_equal(alone.probabilities(), before)


@pytest.mark.slow
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.usefixtures("frequent_switches")
def test_runs_at_the_same_time_give_the_results_of_runs_one_by_one(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = read_case(sample_folder)
    cases = [
        cropped(sample, slice(80, 128), slice(60, 108), slice(40, 72)),
        cropped(sample, slice(100, 148), slice(60, 108), slice(40, 88)),
    ]
    jobs = [(case, backend) for case in cases for backend in BACKENDS]

    def run(case: Case, backend: str) -> Segmentation:
        return segment(case, CHECKPOINT, backend=backend, device="cpu")  # type: ignore[arg-type]

    expected = [run(*job).classes for job in jobs]
    monkeypatch.setattr(pool, "IDLE_SECONDS", 1e-3)

    def work() -> None:
        for _ in range(5):
            for job, classes in zip(jobs, expected, strict=True):
                result = run(*job)
                assert result.run is not None
                assert result.run.warnings == ()
                np.testing.assert_array_equal(result.classes, classes)

    in_threads(2, work)
