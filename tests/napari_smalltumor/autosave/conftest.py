"""A case that is open in a viewer, unedited or edited."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along
from opened_case import Opened


@pytest.fixture
def folder(request, tmp_path):
    """A case whose axes differ from those of the layers, unless parametrized otherwise."""
    return write_case_along(tmp_path / "Pat", getattr(request, "param", "AIL"))


@pytest.fixture
def edited(folder):
    opened = Opened(folder).segmented()
    opened.paint()
    opened.save()
    return opened
