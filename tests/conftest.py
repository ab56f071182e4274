"""Real cases, weights that have learnt nothing, and the command line in this process."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from synthetic import write_weights
from training_cases import NARROW

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says nothing about it, on a machine that does something else as well.
hypothesis_settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")


def pytest_configure() -> None:
    """What holds for the tests and for every process they start."""
    # Networks as narrow as those of the tests are slower on several threads.
    os.environ["OMP_NUM_THREADS"] = "1"
    # A shell that runs the tests in the background makes them deaf to SIGINT.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ and "DISPLAY" in os.environ and shutil.which("Xvfb"):
        _take_a_display_of_its_own()


def _take_a_display_of_its_own() -> None:
    """Of processes that share the tests, none takes the keyboard from another's window."""
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
    """The shipped case, BraTS2021_00019: 240 x 240 x 155 voxels, axes L, P, S."""
    return ROOT / "sample_data" / "BraTS2021_00019"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real cases and reference numbers kept beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: no further real cases, no reference numbers")
    return folder


@pytest.fixture(scope="session")
def narrow_weights(tmp_path_factory) -> Path:
    """A network of the right kind that runs in no time and has learnt nothing."""
    return write_weights(tmp_path_factory.mktemp("weights") / "narrow.safetensors")


@pytest.fixture(scope="session")
def weights_to_tune(tmp_path_factory) -> Path:
    """As many channels as made lesions can be learnt with; nothing is learnt yet."""
    path = tmp_path_factory.mktemp("weights") / "to_tune.safetensors"
    return write_weights(path, NARROW, seed=0)


@pytest.fixture
def smalltumor(narrow_weights, capsys) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run `smalltumor ...`, segment with narrow weights; gives code, stdout, stderr."""
    from smalltumor.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        if words[0] == "segment":
            words += ["--backend", "torch", "--device", "cpu"]
            words += [] if "--weights" in words else ["--weights", str(narrow_weights)]
        code = main(words)
        return code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def data_folder(monkeypatch, tmp_path_factory) -> Path:
    """A user's data folder that is nobody's own; not made before something is kept in it."""
    folder = tmp_path_factory.getbasetemp() / f"data-{secrets.token_hex(4)}"
    monkeypatch.setenv("SMALLTUMOR_DATA", str(folder))
    return folder
