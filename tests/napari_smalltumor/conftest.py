"""A viewer without a window, and settings that are nobody's own."""

from __future__ import annotations

import napari.settings
import pytest
from napari.components import ViewerModel
from napari.settings._napari_settings import NapariSettings

from napari_smalltumor import settings
from napari_smalltumor.autosave import watcher


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture(autouse=True)
def settings_of_the_session(monkeypatch):
    """Defaults to begin with, and nothing written to the user's folder."""
    monkeypatch.setattr(napari.settings, "_SETTINGS", NapariSettings(config_path=None))
    monkeypatch.setattr(settings, "_pages", lambda: None)
    monkeypatch.setattr(settings, "_session", {})


@pytest.fixture(autouse=True)
def no_event_loop(monkeypatch):
    """What a test saves or restores it does itself, also where tests of windows ran before: a
    question that a timer asks would wait for a person."""
    monkeypatch.setattr(watcher, "_timer", lambda *args, **options: None)
