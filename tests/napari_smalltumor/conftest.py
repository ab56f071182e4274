"""Fixtures of the tests that need a viewer model but no window."""

from __future__ import annotations

import napari.settings
import pytest
from napari.components import ViewerModel
from napari.settings._napari_settings import NapariSettings
from napari_events import keep_signatures
from qtpy.QtWidgets import QApplication

from napari_smalltumor import settings
from napari_smalltumor.autosave import watcher


@pytest.fixture(scope="session", autouse=True)
def signatures():
    """Inspect each callback that napari connects once."""
    with pytest.MonkeyPatch.context() as patch:
        keep_signatures(patch)
        yield


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture(autouse=True)
def default_settings(monkeypatch):
    """Start each test with the default settings, and write none to the user's folder."""
    monkeypatch.setattr(napari.settings, "_SETTINGS", NapariSettings(config_path=None))
    monkeypatch.setattr(settings, "_pages", lambda: None)
    monkeypatch.setattr(settings, "_session", {})


@pytest.fixture(autouse=True)
def no_event_loop(monkeypatch):
    """Disable the timers of the autosave.

    Tests call what the timers would. If tests with windows ran before, a timer could open a
    question that nobody answers.
    """
    monkeypatch.setattr(watcher, "_timer", lambda *args, **options: None)


@pytest.fixture
def at_once(monkeypatch):
    """What waits for the event loop is done at once, also if tests with windows ran before."""
    monkeypatch.setattr(QApplication, "instance", lambda: None)
