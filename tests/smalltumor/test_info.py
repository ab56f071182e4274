"""`smalltumor info` and `smalltumor demo`."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import smalltumor.models.checkpoint
import torch
from smalltumor.cli import main
from smalltumor.errors import CheckpointError


@pytest.fixture
def no_weights(monkeypatch):
    def absent(path=None):
        raise CheckpointError("no weights are installed")

    monkeypatch.setattr(smalltumor.models.checkpoint, "load_checkpoint", absent)


def test_info_describes_an_installation_without_weights(no_weights, smalltumor):
    code, stdout, _ = smalltumor("info")
    assert code == 0
    assert "weights: none (no weights are installed)" in stdout


def test_missing_weights_that_were_named_are_an_error(no_weights, smalltumor):
    code, _, stderr = smalltumor("info", "--weights", "nowhere.safetensors")
    assert code == 1
    assert stderr == "smalltumor: no weights are installed\n"


def test_gpus_and_absent_packages_are_named(no_weights, smalltumor, monkeypatch):
    card = SimpleNamespace(name="Made Card", total_memory=24 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr("smalltumor.cli.commands.info.PACKAGES", ("numpy", "no-such-package"))
    _, stdout, _ = smalltumor("info")
    assert "  cuda:0 (Made Card, 24 GB)\n" in stdout
    assert "  mps (Apple)\n" in stdout
    assert "no-such-package    not installed" in stdout


def test_the_demo_is_started_in_a_process_of_its_own(monkeypatch):
    started = []

    def run(command, check):
        started.append(command)
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["demo", "--screenshot", "-o", "somewhere"]) == 3
    assert main(["demo"]) == 3
    first = [sys.executable, "-m", "napari_smalltumor.demo", "--output"]
    assert started == [[*first, "somewhere", "--screenshot"], [*first, "smalltumor-demo"]]
