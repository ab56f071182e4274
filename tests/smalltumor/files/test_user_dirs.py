"""Folders for the user's files: the system's places, and variables that name others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from platformdirs import macos, unix, windows
from smalltumor.files.user_dirs import cache_folder, data_folder

SYSTEMS = {"linux": unix.Unix, "darwin": macos.MacOS, "win32": windows.Windows}


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """An empty home folder without variables that name other places."""
    for name in ("SMALLTUMOR_CACHE", "SMALLTUMOR_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(windows, "get_win_folder", lambda name: str(tmp_path / "AppData" / "Local"))
    return tmp_path


@pytest.fixture
def on(monkeypatch):
    """Behave as on another system."""

    def change(platform: str) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr("platformdirs.PlatformDirs", SYSTEMS[platform])

    return change


@pytest.mark.parametrize(
    ("platform", "cache", "data"),
    [
        ("linux", ".cache/napari-smalltumor", ".local/share/napari-smalltumor"),
        (
            "darwin",
            "Library/Caches/napari-smalltumor",
            "Library/Application Support/napari-smalltumor",
        ),
        ("win32", "AppData/Local/napari-smalltumor/Cache", "AppData/Local/napari-smalltumor"),
    ],
)
def test_the_folders_are_those_of_the_system(on, home, platform, cache, data):
    on(platform)
    assert cache_folder() == home / cache
    assert data_folder() == home / data


@pytest.mark.parametrize("platform", SYSTEMS)
def test_no_data_lie_in_the_folder_that_can_be_deleted(on, platform):
    on(platform)
    assert not data_folder().is_relative_to(cache_folder())


def test_the_xdg_variables_are_followed(on, monkeypatch):
    on("linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")
    monkeypatch.setenv("XDG_DATA_HOME", "/scratch/data")
    assert cache_folder() == Path("/scratch/cache/napari-smalltumor")
    assert data_folder() == Path("/scratch/data/napari-smalltumor")


def test_data_of_the_first_version_on_macos_is_still_found(on, home, monkeypatch):
    on("darwin")
    new = home / "data" / "napari-smalltumor"  # newer platformdirs follow XDG_DATA_HOME
    monkeypatch.setattr("platformdirs.user_data_path", lambda *names, **options: new)
    earlier = home / "Library" / "Application Support" / "napari-smalltumor"
    earlier.mkdir(parents=True)
    assert data_folder() == earlier
    new.mkdir(parents=True)
    assert data_folder() == new


def test_our_own_variables_name_the_folders(monkeypatch):
    monkeypatch.setenv("SMALLTUMOR_CACHE", "/a")
    monkeypatch.setenv("SMALLTUMOR_DATA", "/b")
    assert (cache_folder(), data_folder()) == (Path("/a"), Path("/b"))
