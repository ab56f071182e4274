"""Real cases for the tests."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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


@pytest.fixture(autouse=True)
def data_folder(monkeypatch, tmp_path_factory) -> Path:
    """A user's data folder that is nobody's own; not made before something is kept in it."""
    folder = tmp_path_factory.getbasetemp() / f"data-{secrets.token_hex(4)}"
    monkeypatch.setenv("SMALLTUMOR_DATA", str(folder))
    return folder
