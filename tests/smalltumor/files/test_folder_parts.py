"""Folders are told apart by the parts in which they differ."""

from __future__ import annotations

from pathlib import Path

from smalltumor.files.folder_parts import distinctive_part


def test_what_all_folders_end_with_tells_nothing():
    folders = [Path(f"/data/{visit}/Pat") for visit in ("first", "second")]
    assert [distinctive_part(folder, folders) for folder in folders] == ["first", "second"]


def test_as_many_parts_as_are_needed_are_named():
    folders = [Path("/a/x/1"), Path("/b/x/1"), Path("/b/x/2")]
    assert [distinctive_part(folder, folders) for folder in folders] == ["a/x/1", "b/x/1", "2"]
    assert distinctive_part(None, [*folders, None]) == "no file"
