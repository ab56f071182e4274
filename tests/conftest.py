"""Real cases for the tests."""

from __future__ import annotations

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
