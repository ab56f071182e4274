"""Writes take time, fail, and are those of several viewers."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari_cases import write_case_along
from opened_case import Opened, raise_disk_full
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave import case_file
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_files import read_masks, write_masks
from napari_smalltumor.layers.coordinates import to_display


def test_edits_of_an_open_viewer_cannot_be_restored_in_another(edited, folder):
    reopened = Opened(folder)
    assert reopened.autosave.restorable_files(reopened.case) == []
    assert edited.autosave.restorable_files(edited.case) == []


def test_edits_cannot_be_restored_in_another_case(edited, tmp_path):
    edited.autosave.folder.unlock()
    other = Opened(write_case_along(tmp_path / "elsewhere" / "Pat", "LPS"))
    assert other.case.name == edited.case.name
    assert other.autosave.restorable_files(other.case) == []


def test_two_viewers_save_the_same_case_separately(folder):
    one, other = Opened(folder).segmented(), Opened(folder).segmented()
    one.paint()
    other.paint((5, 5, 5))
    one.save()
    other.save()
    assert len(one.files) == 2
    for opened in (one, other):
        masks = read_masks(opened.autosave.folder.file_of(opened.case))
        et = next(mask for mask in masks if mask.region == Region.ET)
        grid = opened.case.grid
        shown = to_display(et.on_grid(grid.shape), grid)
        assert np.array_equal(shown, opened.regions[Region.ET].data)
    other.autosave.mark_exported(other.regions.values())
    other.save()
    assert one.files == [one.autosave.folder.file_of(one.case)]


def test_unchanged_edits_are_not_written_again(edited):
    (file,) = edited.files
    before = file.stat()
    edited.save()
    assert file.stat().st_mtime_ns == before.st_mtime_ns


@pytest.fixture
def slow_disk(monkeypatch):
    """Writes that signal `started` and then wait for `proceed`."""
    started, proceed = threading.Event(), threading.Event()

    def write_slowly(*arguments):
        started.set()
        assert proceed.wait(60)
        write_masks(*arguments)

    monkeypatch.setattr(case_file, "write_masks", write_slowly)
    yield started, proceed
    proceed.set()


def test_strokes_during_a_write_are_part_of_the_next_write(folder, slow_disk):
    started, proceed = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert started.wait(60)
    opened.paint((5, 5, 5))
    opened.autosave.save()
    proceed.set()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    grid = opened.case.grid
    for region, layer in opened.regions.items():
        assert np.array_equal(to_display(masks[region].on_grid(grid.shape), grid), layer.data)


def test_an_undo_during_a_write_deletes_the_autosave(folder, slow_disk):
    started, proceed = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert started.wait(60)
    opened.paint()
    opened.autosave.save()
    proceed.set()
    opened.autosave.wait()
    assert opened.files == []


def test_closing_a_case_during_a_write_saves_its_latest_strokes(folder, slow_disk):
    started, proceed = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert started.wait(60)
    opened.paint((5, 5, 5))
    painted = {region: layer.data.copy() for region, layer in opened.regions.items()}
    opened.viewer.layers.clear()
    proceed.set()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    grid = opened.case.grid
    for region, data in painted.items():
        assert np.array_equal(to_display(masks[region].on_grid(grid.shape), grid), data)


def test_a_failed_write_is_retried(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()
    with monkeypatch.context() as patch:
        patch.setattr(case_file, "write_masks", raise_disk_full)
        opened.save()
        assert opened.files == []
    opened.save()
    assert len(opened.files) == 1


def test_a_write_error_is_reported_once_and_the_edits_stay_in_the_viewer(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()
    painted = opened.regions[Region.ET].data.copy()
    monkeypatch.setattr(case_file, "write_masks", raise_disk_full)
    opened.save()
    assert opened.autosave.problem() == "the disk is full"
    assert opened.autosave.problem() is None
    assert np.array_equal(opened.regions[Region.ET].data, painted)


def test_unlocking_deletes_the_empty_folder_and_no_other(tmp_path):
    folder = AutosaveFolder(tmp_path)
    folder.lock()
    (tmp_path / "other").mkdir()
    folder.unlock()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
