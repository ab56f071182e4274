"""A real viewer, and settings that are nobody's own."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import write_case

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.open_case import open_case

PATIENCE_MS = 240_000


def pytest_collection_modifyitems(items):
    """Without a display there is nothing to look at."""
    absent = sys.platform.startswith("linux") and not os.environ.get("DISPLAY")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gui)
            if absent:
                item.add_marker(pytest.mark.skip(reason="no display; Xvfb serves"))


@pytest.fixture(scope="session", autouse=True)
def modules_are_no_garbage():
    """napari looks for garbage around each viewer: not among all that was imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def settings_of_the_session(monkeypatch):
    """Defaults to begin with, and nothing written to the user's folder."""
    monkeypatch.setattr(settings, "_pages", lambda: None)
    monkeypatch.setattr(settings, "_session", {})


@pytest.fixture(scope="session")
def synthetic_case(tmp_path_factory) -> Path:
    """A folder with a small head of noise."""
    return write_case(tmp_path_factory.mktemp("cases") / "made")


@pytest.fixture
def dock_of(narrow_weights):
    """Docks the Segment dock in a viewer."""
    from napari_smalltumor.segment.dock import SegmentDock

    def make(viewer):
        settings.put("weights", str(narrow_weights))
        dock = SegmentDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name="Segment")
        return dock

    return make


@pytest.fixture
def errors(monkeypatch) -> list[str]:
    """Errors that were shown to the user."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(notify, "unexpected", lambda error: shown.append(repr(error)))
    return shown


@pytest.fixture
def opened(make_napari_viewer, dock_of, synthetic_case, monkeypatch):
    """A viewer with the Segment dock and a case, without a device search."""
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    viewer = make_napari_viewer()
    dock = dock_of(viewer)
    open_case(viewer, synthetic_case)
    return viewer, dock


@pytest.fixture
def raised(monkeypatch) -> list[BaseException]:
    """Exceptions that were raised into Qt's event loop."""
    raised: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: raised.append(error))
    return raised


@pytest.fixture
def qtbot(qtbot):
    """Waits for as long as a loaded machine may need."""
    for name in ("waitSignal", "waitUntil"):
        setattr(qtbot, name, _patient(getattr(qtbot, name)))
    return qtbot


def _patient(wait):
    def waits(*arguments, **options):
        return wait(*arguments, timeout=PATIENCE_MS, **options)

    return waits


@pytest.fixture
def run(qtbot):
    """Clicks Segment and waits for the end of the run; whether there was a result."""

    def click(dock) -> bool:
        with qtbot.waitSignal(dock.finished) as ended:
            dock.panel.segment_clicked.emit()
        return ended.args[0]

    return click


def voxels(layers) -> dict[str, int]:
    """Size of each region."""
    return {region.value: int(np.count_nonzero(layer.data)) for region, layer in layers.items()}
