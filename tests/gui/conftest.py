"""Fixtures of the tests that need a real viewer."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import napari.settings
import numpy as np
import pytest
from napari.settings._napari_settings import NapariSettings
from napari_caches import keep_drawings
from napari_events import keep_signatures
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from synthetic import write_case
from waiting_dialogs import WaitingDialogs

from napari_smalltumor import devices, notify, settings
from napari_smalltumor.loading.open_case import open_case

# A call that the next napari no longer has is an error today.
DEPRECATED = (
    *(
        f"error::{category}:{module}"
        for category in ("DeprecationWarning", "FutureWarning")
        for module in ("napari", "app_model", "qtpy", "superqt", "tests")
    ),
    "ignore:sipPyTypeDict",  # PyQt5's oldest release
)


def pytest_collection_modifyitems(items):
    """Mark the tests of this folder as ``gui``, and skip them without a display."""
    no_display = sys.platform.startswith("linux") and not os.environ.get("DISPLAY")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gui)
            for rule in DEPRECATED:
                item.add_marker(pytest.mark.filterwarnings(rule))
            if no_display:
                item.add_marker(pytest.mark.skip(reason="no display; run under Xvfb"))


@pytest.fixture(scope="session", autouse=True)
def settings_without_a_file():
    """Keep napari's settings in memory: a viewer would store them in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        kept_in_memory = NapariSettings(config_path=None)
        kept_in_memory._connect_events()
        patch.setattr(napari.settings, "_SETTINGS", kept_in_memory)
        yield


@pytest.fixture(scope="session", autouse=True)
def read_manifests_once():
    """Read the manifest of each plugin once; napari reads all of them for each viewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "from_file", staticmethod(cache(PluginManifest.from_file)))
        yield


@pytest.fixture(scope="session", autouse=True)
def results_of_pure_functions():
    """Keep results that napari and vispy compute again for each viewer."""
    with pytest.MonkeyPatch.context() as patch:
        keep_signatures(patch)
        keep_drawings(patch)
        yield


@pytest.fixture(autouse=True)
def default_settings(monkeypatch):
    """Start each test with the default settings, and write none to the user's folder."""
    monkeypatch.setattr(settings, "_pages", lambda: None)
    monkeypatch.setattr(settings, "_session", {})


@pytest.fixture(autouse=True)
def no_button_stays_pressed():
    """Fail a test that leaves a mouse button down: later ones would wait for its release."""
    yield
    if QGuiApplication.instance() is not None:
        assert QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton


@pytest.fixture(autouse=True)
def no_dialog_waits(qapp):
    """Fail a test that opens a dialog which it does not answer, with the text of the dialog."""
    dialogs = WaitingDialogs()
    yield
    dialogs.stop()
    assert dialogs.texts == []


@pytest.fixture
def double_click(qtbot):
    """Function that double-clicks; QTest's own leaves the button pressed."""

    def click(widget, button, pos) -> None:
        qtbot.mouseDClick(widget, button, pos=pos)
        qtbot.mouseRelease(widget, button, pos=pos)

    return click


@pytest.fixture
def no_key_is_held(make_napari_viewer, monkeypatch):
    """Release keys in time: napari undoes what a key did that was down for half a second."""
    monkeypatch.setattr(napari.settings.get_settings().application, "hold_button_delay", 600.0)


@pytest.fixture(scope="session")
def synthetic_case(tmp_path_factory) -> Path:
    """Folder of a small case of random intensities."""
    return write_case(tmp_path_factory.mktemp("cases") / "case")


@pytest.fixture
def dock_of(narrow_weights):
    """Function that adds the Segment dock to a viewer."""
    from napari_smalltumor.segment.dock import SegmentDock

    def make(viewer):
        settings.put("weights", str(narrow_weights))
        dock = SegmentDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name="Segment")
        return dock

    return make


@pytest.fixture
def errors(monkeypatch) -> list[str]:
    """Error messages that were shown to the user."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(notify, "unexpected", lambda error: shown.append(repr(error)))
    return shown


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    """Messages of any kind that were shown to the user."""
    shown: list[str] = []
    for kind in ("info", "warn", "error"):
        monkeypatch.setattr(notify, kind, shown.append)
    monkeypatch.setattr(notify, "unexpected", lambda error: shown.append(repr(error)))
    return shown


@pytest.fixture
def opened(make_napari_viewer, dock_of, synthetic_case, monkeypatch):
    """A viewer with an opened case and its Segment dock; the search for devices is disabled."""
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    viewer = make_napari_viewer()
    dock = dock_of(viewer)
    open_case(viewer, synthetic_case)
    return viewer, dock


@pytest.fixture
def raised(monkeypatch) -> list[BaseException]:
    """Exceptions that were raised in Qt's event loop."""
    raised: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: raised.append(error))
    return raised


@pytest.fixture
def run(qtbot):
    """Function that clicks *Segment* and waits for the end; it returns whether it succeeded."""

    def click(dock) -> bool:
        with qtbot.waitSignal(dock.finished) as ended:
            dock.panel.segment_clicked.emit()
        return ended.args[0]

    return click


def voxels(layers) -> dict[str, int]:
    """Number of voxels of each region."""
    return {region.value: int(np.count_nonzero(layer.data)) for region, layer in layers.items()}
