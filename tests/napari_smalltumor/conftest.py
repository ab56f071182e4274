"""A viewer without a window."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()
