"""Synthetic cases, and presets that take seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_cases import QUICK, write_lesion_cases


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """Four cases with lesions."""
    return write_lesion_cases(tmp_path_factory.mktemp("data") / "cases", 4)


@pytest.fixture
def quick(monkeypatch) -> None:
    """Training and fine-tuning take two epochs of a few steps."""
    from smalltumor.training.execution import train

    monkeypatch.setattr(train, "PRESETS", {"paper": QUICK, "finetune": QUICK})
