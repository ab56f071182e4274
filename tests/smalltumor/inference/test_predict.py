"""Segmentation of a case by each backend, with windows, mirroring and after failures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.made_by import SEEN_IN_TRAINING
from smalltumor.data.probabilities.network_output import NetworkOutput
from smalltumor.data.read_case import read_case
from smalltumor.errors import Cancelled, SmalltumorError
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.geometry.grid import Grid
from smalltumor.inference import devices, fallback, segment
from smalltumor.inference.backends import openvino_backend, torch_backend
from smalltumor.inference.backends.base import Array
from smalltumor.inference.devices import has_openvino
from smalltumor.models.checkpoint import Checkpoint, random_checkpoint
from smalltumor.progress import ProgressReporter
from synthetic import write_case
from training_cases import NARROW

HALF = devices.cpu_has_bfloat16()

needs_openvino = pytest.mark.skipif(not has_openvino(), reason="the extra openvino is absent")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own, and no backend left over from another test."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for pool in (torch_backend._backends, openvino_backend._backends):
        pool.clear()
    yield tmp_path / "cache"
    for pool in (torch_backend._backends, openvino_backend._backends):
        pool.clear()


@pytest.fixture
def single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every backend compute in float32, even if the processor supports bfloat16."""
    for module in (devices, openvino_backend):
        monkeypatch.setattr(module, "cpu_has_bfloat16", lambda: False)


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    return random_checkpoint(seed=3, config=NARROW)


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Case:
    return read_case(sample_folder)


@pytest.fixture(scope="session")
def small(sample: Case) -> Case:
    """The centre of the sample case, 64 x 64 x 48 voxels, with a border of empty voxels."""
    box = (slice(80, 144), slice(80, 144), slice(60, 108))
    volumes = {}
    for modality, volume in sample.volumes.items():
        part = np.zeros((64, 64, 48), dtype=volume.dtype, order="F")
        part[2:-2, 2:-2, 2:-2] = volume[box][2:-2, 2:-2, 2:-2]
        volumes[modality] = part
    return Case("small", volumes, Grid((64, 64, 48), np.diag([-1.0, -1.0, 1.0, 1.0])))


@pytest.fixture
def synthetic_folder(tmp_path: Path) -> Path:
    return write_case(tmp_path / "case")


def torch_run(case: Case, checkpoint: Checkpoint, **options: object) -> npt.NDArray[np.float32]:
    result = segment(case, checkpoint, backend="torch", device="cpu", **options)  # type: ignore[arg-type]
    assert result.cropped is not None
    return result.cropped.values


def test_sample_case_is_segmented_on_its_own_grid(sample: Case, checkpoint: Checkpoint) -> None:
    seen: list[float] = []
    result = segment(
        sample, checkpoint, backend="torch", progress=lambda fraction, _: seen.append(fraction)
    )
    assert result.classes.shape == sample.grid.shape
    assert result.classes.dtype == np.uint8
    assert result.classes.flags.f_contiguous  # the layout of files and layers
    assert result.grid is sample.grid
    assert set(np.unique(result.classes)) <= {0, 1, 2, 3}
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(seen) > 20
    probabilities = result.probabilities()
    assert probabilities is not None
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-4)
    differ = probabilities.argmax(axis=0) != result.classes  # where rounding made two equal
    first, second = np.sort(probabilities[:, differ], axis=0)[:-3:-1]
    np.testing.assert_allclose(first, second, atol=1e-6)
    run = result.run
    assert run is not None
    assert (run.backend, run.device, run.warnings) == ("torch", "cpu", ())


def test_same_input_gives_the_same_mask(small: Case, checkpoint: Checkpoint) -> None:
    np.testing.assert_array_equal(torch_run(small, checkpoint), torch_run(small, checkpoint))


@pytest.mark.usefixtures("single_precision")
def test_probabilities_equal_those_of_the_checkpoints_network(
    small: Case, checkpoint: Checkpoint
) -> None:
    import torch
    from smalltumor.data.preprocessing import preprocess

    ready = preprocess(small, checkpoint.preprocessing)
    with torch.inference_mode():
        expected = checkpoint.network(torch.from_numpy(ready.array)[None])[0].numpy()
    got = torch_run(small, checkpoint)
    np.testing.assert_allclose(got, expected, atol=2e-4)


def test_orientation_of_the_source_changes_nothing(small: Case, checkpoint: Checkpoint) -> None:
    reoriented = {
        m: np.asarray(v)[::-1, :, ::-1].transpose(2, 0, 1) for m, v in small.volumes.items()
    }
    # Axes are now k reversed, i reversed, j: I, R, P.
    affine = np.array([[0, 1.0, 0, -63], [0, 0, -1, 0], [-1, 0, 0, 47], [0, 0, 0, 1]])
    result = segment(
        Case("reoriented", reoriented, Grid((48, 64, 64), affine)), checkpoint, backend="torch"
    )
    expected = segment(small, checkpoint, backend="torch").classes
    np.testing.assert_array_equal(result.classes, expected[::-1, :, ::-1].transpose(2, 0, 1))


def test_flips_average_over_the_eight_mirrored_volumes(small: Case, checkpoint: Checkpoint) -> None:
    mirrored = {m: np.asarray(v)[::-1] for m, v in small.volumes.items()}
    straight = torch_run(small, checkpoint, flips=True)
    other = torch_run(Case("mirrored", mirrored, small.grid), checkpoint, flips=True)
    np.testing.assert_allclose(other[:, ::-1], straight, atol=1e-4)
    assert np.abs(straight - torch_run(small, checkpoint)).max() > 1e-3


def test_a_window_larger_than_the_volume_gives_the_result_of_the_whole_volume(
    small: Case, checkpoint: Checkpoint
) -> None:
    whole = torch_run(small, checkpoint, windows=None)
    np.testing.assert_allclose(torch_run(small, checkpoint, windows=128), whole, atol=1e-5)


@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=needs_openvino)])
@pytest.mark.parametrize("after", [1, 5])
def test_cancelling_stops_the_run(
    backend: str, after: int, small: Case, checkpoint: Checkpoint
) -> None:
    calls = 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls > after

    with pytest.raises(Cancelled):
        segment(small, checkpoint, backend=backend, cancelled=cancelled)  # type: ignore[arg-type]
    assert calls == after + 1
    result = segment(small, checkpoint, backend=backend)  # type: ignore[arg-type]
    assert result.run is not None
    assert result.run.backend == backend


Call = Callable[[object, Array, ProgressReporter], NetworkOutput]


def out_of_memory_over(edge: int, run: Call) -> Call:
    """A backend's `__call__` that runs out of memory for arrays with a longer edge."""

    def limited(self: object, array: Array, progress: ProgressReporter) -> NetworkOutput:
        if max(array.shape) > edge:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return run(self, array, progress)

    return limited


def test_memory_that_runs_out_leads_to_windows(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = torch_backend.TorchBackend
    monkeypatch.setattr(fallback, "WINDOW_SIZES", (64, 32))
    monkeypatch.setattr(backend, "__call__", out_of_memory_over(48, backend.__call__))
    run = segment(small, checkpoint, backend="torch", device="cpu").run
    assert run is not None
    assert len([w for w in run.warnings if "ran out of memory" in w]) == 2
    assert "windows of 32 voxels were used" in run.warnings[-1]


def test_memory_too_small_for_any_window_raises_an_error(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = torch_backend.TorchBackend
    monkeypatch.setattr(backend, "__call__", out_of_memory_over(1, backend.__call__))
    with pytest.raises(SmalltumorError, match="not enough memory"):
        segment(small, checkpoint, backend="torch", device="cpu")


def test_little_free_memory_leads_to_windows_at_once(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "WINDOW_SIZES", (64, 32))
    monkeypatch.setattr(fallback, "available_memory", lambda: fallback.RESERVED_BYTES + 20 * 10**6)
    run = segment(small, checkpoint, device="cpu").run
    assert run is not None
    assert run.backend == "torch"
    (warning,) = run.warnings
    assert "windows of 32 voxels were used" in warning


def test_if_the_gpu_runs_out_of_memory_the_cpu_is_used(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullGpu:
        backend, device = "torch", "cuda:0 (full)"

        def __call__(self, array: Array, progress: ProgressReporter) -> NetworkOutput:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    real = torch_backend.torch_backend
    monkeypatch.setattr(fallback, "_empty_gpu_cache", lambda device: None)
    monkeypatch.setattr(
        torch_backend,
        "torch_backend",
        lambda c, d: nullcontext(FullGpu()) if d == "cuda:0" else real(c, d),
    )
    monkeypatch.setattr(
        "smalltumor.inference.predict.choose_device", lambda name: fallback.DeviceChoice("cuda:0")
    )
    run = segment(small, checkpoint).run
    assert run is not None
    assert run.device == "cpu"
    assert len([w for w in run.warnings if "cuda:0 ran out of memory" in w]) == 2


def test_missing_gpu_leads_to_the_cpu_with_a_warning(small: Case, checkpoint: Checkpoint) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    run = segment(small, checkpoint, device="cuda:1", backend="torch").run
    assert run is not None
    assert (run.device, run.warnings) == (
        "cpu",
        ("cuda:1 is not available here; the CPU was used",),
    )


@pytest.mark.parametrize(
    "options", [{"device": "gpu"}, {"backend": "onnx"}, {"windows": 100}, {"windows": 0}]
)
def test_unknown_settings_are_refused(
    options: dict[str, object], small: Case, checkpoint: Checkpoint
) -> None:
    with pytest.raises(SmalltumorError):
        segment(small, checkpoint, **options)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=needs_openvino)])
def test_flips_and_windows_together_average_windows_of_mirrored_volumes(
    backend: str, small: Case, checkpoint: Checkpoint
) -> None:
    options: dict[str, Any] = {"backend": backend, "device": "cpu", "flips": True, "windows": 32}
    seen: list[float] = []
    result = segment(small, checkpoint, progress=lambda done, _: seen.append(done), **options)
    mirrored = {m: np.asarray(v)[::-1] for m, v in small.volumes.items()}
    other = segment(Case("mirrored", mirrored, small.grid), checkpoint, **options)
    assert result.run is not None
    assert (result.run.backend, result.run.warnings) == (backend, ())
    np.testing.assert_allclose(
        result.cropped.values, other.cropped.values[:, ::-1], atol=2e-2 if HALF else 1e-4
    )
    assert seen == sorted(seen)


@pytest.mark.slow
def test_progress_does_not_fall_when_an_attempt_fails(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = torch_backend.TorchBackend
    run = backend.__call__

    def fails_when_the_whole_volume_is_done(
        self: Any, array: Array, progress: ProgressReporter
    ) -> NetworkOutput:
        output = run(self, array, progress)
        if max(array.shape) > 32:
            raise RuntimeError("can't allocate memory")
        return output

    monkeypatch.setattr(fallback, "WINDOW_SIZES", (32,))
    monkeypatch.setattr(backend, "__call__", fails_when_the_whole_volume_is_done)
    seen: list[float] = []
    result = segment(
        small, checkpoint, backend="torch", flips=True, progress=lambda done, _: seen.append(done)
    )
    assert result.run is not None
    assert len(result.run.warnings) == 2
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


@needs_openvino
@pytest.mark.usefixtures("single_precision")
def test_openvino_agrees_with_torch_cold_and_from_its_cache(
    small: Case, checkpoint: Checkpoint, cache: Path
) -> None:
    expected = torch_run(small, checkpoint)
    for _ in range(2):
        openvino_backend._backends.clear()
        result = segment(small, checkpoint, backend="openvino")
        assert result.run is not None
        assert (result.run.backend, result.run.warnings) == ("openvino", ())
        assert result.cropped is not None
        np.testing.assert_allclose(result.cropped.values, expected, atol=5e-4)
        assert len(list(cache.rglob("*.blob"))) == len(list(cache.rglob("*.xml"))) == 1


@pytest.mark.slow
@needs_openvino
def test_a_damaged_cache_is_replaced(small: Case, checkpoint: Checkpoint, cache: Path) -> None:
    expected = segment(small, checkpoint, backend="openvino").classes
    for pattern in ("*.blob", "*.xml"):
        for path in cache.rglob(pattern):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        openvino_backend._backends.clear()
        result = segment(small, checkpoint, backend="openvino")
        assert result.run is not None
        assert (result.run.backend, result.run.warnings) == ("openvino", ())
        np.testing.assert_array_equal(result.classes, expected)


@needs_openvino
def test_if_openvino_fails_torch_is_used(
    small: Case, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(openvino_backend.OpenVinoBackend, "_compiled_for", fail)
    result = segment(small, checkpoint, device="cpu")
    assert result.run is not None
    assert result.run.backend == "torch"
    assert "openvino on cpu failed (no such operation)" in result.run.warnings[0]


SECOND_START = """
import sys
from pathlib import Path
from smalltumor import load_checkpoint, read_case, segment
case = read_case(sys.argv[2])
run = segment(case, load_checkpoint(sys.argv[1]), device="cpu").run
assert run.backend == "openvino", run
print("torch" in sys.modules)
"""


@pytest.mark.slow
@needs_openvino
def test_compiled_network_runs_without_importing_torch(
    narrow_weights: Path, synthetic_folder: Path
) -> None:
    command = [sys.executable, "-c", SECOND_START, str(narrow_weights), str(synthetic_folder)]
    starts = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [start.stdout.strip() for start in starts] == ["True", "False"]


LITTLE_ADDRESS_SPACE = """
import resource
import numpy as np
import psutil
import torch
from pathlib import Path
from smalltumor import segment, random_checkpoint
from smalltumor.models.config import NetworkConfig
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.geometry.grid import Grid
shape = (128, 64, 64)
rng = np.random.default_rng(0)
volumes = {m: rng.integers(1, 900, shape).astype(np.int16) for m in MODALITIES}
case = Case("case", volumes, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0])))
checkpoint = random_checkpoint(config=NetworkConfig(width=8, channels=16, groups=4))
checkpoint.network(torch.zeros(1, 4, 32, 32, 32))
used = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (used + 275 * 10**6, resource.RLIM_INFINITY))
print(segment(case, checkpoint, backend="torch", device="cpu").run.warnings)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced only on Linux")
def test_limit_on_memory_leads_to_windows() -> None:
    command = [sys.executable, "-c", LITTLE_ADDRESS_SPACE]
    environment = os.environ | {"MALLOC_ARENA_MAX": "1"}  # arenas are reserved, never used
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "windows of 64 voxels" in done.stdout


def test_a_patient_that_the_network_was_trained_on_is_told(
    small: Case, checkpoint: Checkpoint
) -> None:
    trained = replace(checkpoint, card={**checkpoint.card, "trained_on": [small.name]})
    digest = digests_of_images(small)["t1ce"]
    copied = replace(checkpoint, card={**checkpoint.card, "trained_on_images": [digest]})
    runs = [segment(small, weights, backend="torch").run for weights in (trained, copied)]
    for run in runs:
        assert run is not None and SEEN_IN_TRAINING in run.all_warnings
    other = segment(small, checkpoint, backend="torch").run
    assert other is not None and SEEN_IN_TRAINING not in other.all_warnings
