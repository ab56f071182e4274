"""The command line in this process, and narrow weights."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from smalltumor.architecture import NetworkConfig
from smalltumor.checkpoint import random_checkpoint, save_checkpoint
from smalltumor.cli import main

NARROW = NetworkConfig(width=4, channels=8, groups=2)


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A narrow network's weights file."""
    path = tmp_path_factory.mktemp("weights") / "narrow.safetensors"
    checkpoint = random_checkpoint(3, NARROW)
    save_checkpoint(path, checkpoint.network, checkpoint.preprocessing, checkpoint.card)
    return path


@pytest.fixture
def smalltumor(weights, capsys):
    """Run `smalltumor ...`, segment with narrow weights; gives code, stdout, stderr."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        if words[0] == "segment":
            words += ["--backend", "torch", "--device", "cpu"]
            words += [] if "--weights" in words else ["--weights", str(weights)]
        code = main(words)
        return code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)
