"""Choices are kept by napari, and the default reader is set only when it is asked for."""

from pathlib import Path

import pytest
from napari.settings import get_settings
from npe2 import PluginManifest

import napari_smalltumor
from napari_smalltumor import settings

PAGES = settings._pages  # before a fixture hides it
MANIFEST = Path(napari_smalltumor.__file__).with_name("napari.yaml")


def test_every_setting_has_the_manifests_default():
    assert settings.get("threshold") == 2000
    assert settings.get("device") == "auto"
    assert settings.get("default_reader") is False
    for name in settings._SECTIONS:
        settings.put(name, settings.get(name))


def test_a_choice_is_kept():
    settings.put("scheme", "msd")
    assert settings.get("scheme") == "msd"


def test_napari_keeps_a_choice_in_a_file(plugin_settings, npe2pm, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "_pages", PAGES)
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    settings.put("threshold", 321)
    assert settings.get("threshold") == 321
    assert "threshold: 321" in (tmp_path / "napari-smalltumor.yaml").read_text()


def test_ticking_the_box_in_preferences_makes_us_the_default(plugin_settings, npe2pm, monkeypatch):
    monkeypatch.setattr(settings, "_pages", PAGES)
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    settings.activate()
    settings.put("default_reader", True)
    assert get_settings().plugins.extension2reader["*.nii.gz"] == "napari-smalltumor"
    settings.put("default_reader", False)
    assert get_settings().plugins.extension2reader == {}


def test_becoming_the_default_reader_leaves_other_choices_alone(monkeypatch):
    readers = get_settings().plugins
    readers.extension2reader = {"*.tif": "another-plugin", "*.nii": "another-plugin"}
    monkeypatch.setattr("napari_smalltumor.notify.info", lambda message: None)
    settings.open_by_default()
    assert readers.extension2reader == {
        "*.tif": "another-plugin",
        "*.nii": "napari-smalltumor",
        "*.nii.gz": "napari-smalltumor",
        "*/": "napari-smalltumor",
    }
    settings.open_by_default()
    assert readers.extension2reader == {"*.tif": "another-plugin", "*.nii": "another-plugin"}


def test_a_change_in_preferences_reaches_the_docks_once(plugin_settings, npe2pm, monkeypatch):
    monkeypatch.setattr(settings, "_pages", PAGES)
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    settings.activate()
    settings.activate()
    heard = []
    settings.changed.connect(lambda name, value: heard.append((name, value)))
    PAGES().segmentation.style = "filled"
    settings.put("threshold", 77)
    assert heard == [("style", "filled"), ("threshold", 77)]


def test_dialogs_start_where_the_last_one_ended(tmp_path):
    (tmp_path / "cases" / "Pat").mkdir(parents=True)
    settings.remember_folder(tmp_path / "cases" / "Pat")
    assert settings.last_folder() == str(tmp_path / "cases")


@pytest.fixture
def readers():
    """The readers of other plugins that the user chose before."""
    readers = get_settings().plugins
    readers.extension2reader = {"*.tif": "another-plugin", "*.nii": "another-plugin"}
    return readers


def switch_default_reader(on: bool) -> None:
    settings.set_default_reader(on)


def test_switching_the_default_reader_off_restores_the_readers_chosen_before(readers):
    before = dict(readers.extension2reader)
    switch_default_reader(True)
    switch_default_reader(True)  # napari was started again
    assert readers.extension2reader["*.nii"] == "napari-smalltumor"
    switch_default_reader(False)
    assert readers.extension2reader == before


def test_a_reader_chosen_while_we_are_the_default_is_kept(readers):
    switch_default_reader(True)
    readers.extension2reader = {**readers.extension2reader, "*.nii.gz": "third-plugin"}
    switch_default_reader(False)
    assert readers.extension2reader == {
        "*.tif": "another-plugin",
        "*.nii": "another-plugin",
        "*.nii.gz": "third-plugin",
    }


def test_a_reader_chosen_between_two_sessions_is_restored(readers):
    switch_default_reader(True)
    readers.extension2reader = {**readers.extension2reader, "*.nii.gz": "third-plugin"}
    switch_default_reader(True)
    switch_default_reader(False)
    assert readers.extension2reader["*.nii.gz"] == "third-plugin"


def test_switching_off_keeps_a_pattern_that_the_user_gave_to_this_plugin(readers):
    readers.extension2reader = {"*_seg.nii.gz": "napari-smalltumor"}
    switch_default_reader(True)
    switch_default_reader(False)
    assert readers.extension2reader == {"*_seg.nii.gz": "napari-smalltumor"}


@pytest.mark.parametrize("stored", [b"{", b"[1]", b'{"*.nii": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_record_of_earlier_readers_is_ignored(readers, data_folder, stored):
    switch_default_reader(True)
    (data_folder / "replaced_readers.json").write_bytes(stored)
    switch_default_reader(False)
    assert readers.extension2reader == {"*.tif": "another-plugin"}
