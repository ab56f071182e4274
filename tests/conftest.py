"""Fixtures: real cases, weights of untrained networks, and the command line in this process."""

from __future__ import annotations

import atexit
import gc
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from synthetic import write_weights
from training_cases import NARROW

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_MS = 240_000

# The time of an example depends on the load of the machine.
hypothesis_settings.register_profile(
    "no deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("no deadline")


def pytest_configure() -> None:
    """Set up this process and the environment of the processes that tests start."""
    # The narrow networks of the tests are slower with several threads.
    os.environ["OMP_NUM_THREADS"] = "1"
    # Processes that a shell starts in the background ignore SIGINT.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ and "DISPLAY" in os.environ and shutil.which("Xvfb"):
        _start_own_display()


def _start_own_display() -> None:
    """Start an X server for this process, so that parallel tests do not share keyboard focus."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "+extension", "GLX"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(server.terminate)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        os.environ["DISPLAY"] = f":{pipe.readline().strip()}"
    os.environ.pop("XAUTHORITY", None)


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """The case in the repository, BraTS2021_00019: 240 x 240 x 155 voxels, axes L, P, S."""
    return ROOT / "sample_data" / "BraTS2021_00019"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder next to the repository with more real cases and reference results."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: no further real cases and reference results")
    return folder


@pytest.fixture(scope="session")
def narrow_weights(tmp_path_factory) -> Path:
    """Weights of a narrow, untrained network, which runs fast."""
    return write_weights(tmp_path_factory.mktemp("weights") / "narrow.safetensors")


@pytest.fixture(scope="session")
def dropout_weights(tmp_path_factory) -> Path:
    """Narrow, untrained weights whose card says that they were trained with modality dropout."""
    path = tmp_path_factory.mktemp("weights") / "dropout.safetensors"
    return write_weights(path, name="dropout", modality_dropout=0.2)


@pytest.fixture(scope="session")
def weights_to_tune(tmp_path_factory) -> Path:
    """Weights of an untrained network that is wide enough to train on synthetic lesions."""
    path = tmp_path_factory.mktemp("weights") / "to_tune.safetensors"
    return write_weights(path, NARROW, seed=0)


SEGMENT = {"--backend": "torch", "--device": "cpu", "--weights": ""}
"""Options of `smalltumor segment` in tests that do not give them; the narrow weights."""


@pytest.fixture
def smalltumor(narrow_weights, capsys) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run `smalltumor`; returns exit code, stdout, stderr. `segment` uses narrow weights."""
    from smalltumor.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        argv = [str(argument) for argument in arguments]
        if argv[0] == "segment":
            for option, value in SEGMENT.items():
                argv += [] if option in argv else [option, value or str(narrow_weights)]
        code = main(argv)
        return code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def qtbot(qtbot):
    """pytest-qt's ``qtbot`` with a timeout that suffices on a busy computer."""
    for name in ("waitSignal", "waitUntil", "waitActive", "waitExposed"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=TIMEOUT_MS))
    return qtbot


@pytest.fixture(autouse=True)
def data_folder(monkeypatch, tmp_path_factory) -> Path:
    """A data folder of the test's own; it is created when the first file is written to it."""
    folder = tmp_path_factory.getbasetemp() / f"data-{secrets.token_hex(4)}"
    monkeypatch.setenv("SMALLTUMOR_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def freeze_imported_modules() -> Iterator[None]:
    """Exclude imported modules from garbage collection: with torch and napari it takes 0.2 s."""
    before = len(sys.modules)
    yield
    if len(sys.modules) > before:
        gc.collect()
        gc.freeze()
