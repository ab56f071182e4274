"""Each system's own places, and the variables that name others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from smalltumor.files.user_dirs import cache_folder, data_folder

HOME = Path("/home/someone")


@pytest.fixture(autouse=True)
def someone(monkeypatch):
    for name in ("SMALLTUMOR_CACHE", "SMALLTUMOR_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", lambda: HOME)


@pytest.mark.parametrize(
    "platform, cache, data",
    [
        ("linux", ".cache", ".local/share"),
        ("darwin", "Library/Caches", "Library/Application Support"),
        ("win32", "AppData/Local", "AppData/Local"),
    ],
)
def test_each_system_has_its_places(monkeypatch, platform, cache, data):
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == HOME / cache / "napari-smalltumor"
    assert data_folder() == HOME / data / "napari-smalltumor"


def test_the_desktop_s_variables_are_followed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")
    monkeypatch.setenv("XDG_DATA_HOME", "/scratch/data")
    assert cache_folder() == Path("/scratch/cache/napari-smalltumor")
    assert data_folder() == Path("/scratch/data/napari-smalltumor")


def test_variables_of_our_own_name_the_folders(monkeypatch):
    monkeypatch.setenv("SMALLTUMOR_CACHE", "/a")
    monkeypatch.setenv("SMALLTUMOR_DATA", "/b")
    assert (cache_folder(), data_folder()) == (Path("/a"), Path("/b"))
