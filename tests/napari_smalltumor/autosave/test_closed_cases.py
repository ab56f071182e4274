"""Edits of masks that leave the viewer, and come back or are replaced by others."""

from __future__ import annotations

import numpy as np
import pytest
from opened_case import Opened, raise_disk_full
from smalltumor.labels.regions import Region

from napari_smalltumor import settings
from napari_smalltumor.autosave import case_file
from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case

along_all_axes = pytest.mark.parametrize("folder", ["LPS", "RSA", "AIL"], indirect=True)


@along_all_axes
def test_edits_of_a_closed_case_can_be_restored_when_it_is_reopened(edited, folder):
    painted = {region: layer.data.copy() for region, layer in edited.regions.items()}
    edited.paint()
    edited.paint()  # undo the stroke since the last save
    edited.viewer.layers.clear()
    edited.autosave.wait()
    open_case(edited.viewer, folder)
    case = case_of(edited.viewer.layers[0])
    (file,) = edited.autosave.restorable_files(case)
    restore(edited.viewer, case, read_masks(file))
    for region, layer in region_layers(edited.viewer.layers, case).items():
        assert np.array_equal(layer.data, painted[region])


@along_all_axes
def test_closing_a_case_saves_its_latest_strokes(folder):
    opened = Opened(folder).segmented()
    opened.paint()
    painted = {region: layer.data.copy() for region, layer in opened.regions.items()}
    opened.viewer.layers.clear()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == painted.keys()
    reopened = Opened(folder)
    restore(reopened.viewer, reopened.case, masks.values())
    for region, layer in reopened.regions.items():
        assert np.array_equal(layer.data, painted[region])


def test_an_edited_layer_that_is_removed_and_added_again_stays_edited(folder):
    opened = Opened(folder)
    labels = opened.viewer.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 4 - int(labels.data[3, 4, 2]) % 2)
    opened.viewer.layers.remove(labels)
    opened.viewer.add_layer(labels)
    opened.save()
    (mask,) = read_masks(opened.files[0])
    assert mask.name == "Pat labels"


def test_edits_of_a_closed_case_can_be_restored_in_another_viewer(edited, folder):
    edited.viewer.layers.clear()
    edited.autosave.wait()
    reopened = Opened(folder)
    (file,) = reopened.autosave.restorable_files(reopened.case)
    assert {mask.region for mask in read_masks(file)} == set(Region)
    assert edited.autosave.restorable_files(edited.case) == [file]


def test_autosave_continues_after_the_last_case_was_closed(edited, folder):
    edited.viewer.layers.clear()
    open_case(edited.viewer, folder)
    edited.segmented()
    edited.paint((5, 5, 5))
    edited.save()
    file = edited.autosave.folder.file_of(edited.case)
    assert file.exists()
    assert file not in Opened(folder).autosave.restorable_files(edited.case)


def test_edits_of_removed_regions_are_kept_beside_those_of_a_new_result(edited):
    for layer in edited.regions.values():
        edited.viewer.layers.remove(layer)
    edited.autosave.wait()
    (file,) = edited.files
    before = [mask.values.sum() for mask in read_masks(file)]
    edited.segmented(seed=6).paint((5, 5, 5))
    edited.save()
    (kept,) = [f for f in edited.files if not edited.autosave.folder.is_own(f)]
    assert [mask.values.sum() for mask in read_masks(kept)] == before
    assert edited.autosave.folder.file_of(edited.case).exists()


def test_regions_that_return_keep_their_file(edited):
    layers = list(edited.regions.values())
    for layer in layers:
        edited.viewer.layers.remove(layer)
    for layer in layers:
        edited.viewer.add_layer(layer)
    edited.paint((5, 5, 5))
    edited.save()
    assert edited.files == [edited.autosave.folder.file_of(edited.case)]


def stroke_on(layer, at=(3, 4, 2)) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in at), 4 - int(layer.data[at]) % 2)


def names_in(files) -> list[set[str]]:
    return [{mask.name for mask in read_masks(file)} for file in files]


def test_an_edited_mask_that_stays_removed_stays_in_the_file_of_those_that_return(edited):
    labels, regions = edited.viewer.layers["Pat labels"], list(edited.regions.values())
    stroke_on(labels)
    for layer in (labels, *regions):
        edited.viewer.layers.remove(layer)
    for layer in regions:
        edited.viewer.add_layer(layer)
    edited.paint((5, 5, 5))
    edited.save()
    (names,) = names_in(edited.files)
    assert names == {"Pat labels", "Pat ET", "Pat TC", "Pat WT"}


def test_edits_before_the_question_leave_the_file_of_a_closed_case_as_it_is(edited, folder):
    edited.viewer.layers.clear()
    edited.autosave.wait()
    before = edited.files[0].read_bytes()
    open_case(edited.viewer, folder)
    stroke_on(edited.viewer.layers["Pat labels"])
    edited.save()
    assert len(edited.files) == 2
    assert before in [file.read_bytes() for file in edited.files]
    (kept,) = edited.autosave.restorable_files(edited.case)
    assert kept.read_bytes() == before


def test_a_result_that_differs_in_one_region_leaves_the_file_of_a_closed_case_as_it_is(folder):
    """The regions that are the same come first."""
    opened = Opened(folder).segmented()
    regions = opened.regions
    at = np.argwhere((regions[Region.TC].data == 1) & (regions[Region.ET].data == 0))[0]
    opened.paint(tuple(at))
    opened.viewer.layers.clear()
    opened.autosave.wait()
    before = opened.files[0].read_bytes()
    open_case(opened.viewer, folder)
    opened.segmented()
    opened.paint((5, 5, 5))
    opened.save()
    assert before in [file.read_bytes() for file in opened.files]


def test_edits_of_a_case_that_was_closed_while_autosave_was_off_stay_in_their_file(edited, folder):
    before = edited.files[0].read_bytes()
    settings.put("autosave", False)
    edited.viewer.layers.clear()
    settings.put("autosave", True)
    open_case(edited.viewer, folder)
    assert edited.autosave.restorable_files(edited.case) == edited.files
    stroke_on(edited.viewer.layers["Pat labels"])
    edited.save()
    assert before in [file.read_bytes() for file in edited.files]


def test_edits_of_a_mask_that_was_removed_while_autosave_was_off_stay_in_their_file(edited):
    stroke_on(edited.viewer.layers["Pat labels"])
    edited.save()
    settings.put("autosave", False)
    edited.viewer.layers.remove("Pat labels")
    settings.put("autosave", True)
    edited.paint((5, 5, 5))
    edited.save()
    (names,) = names_in(edited.files)
    assert "Pat labels" in names


def test_edits_that_were_never_saved_are_not_saved_after_they_were_closed(folder):
    """Closing the patient while autosave is off says that they will be lost."""
    settings.put("autosave", False)
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.mark_exported([opened.viewer.layers["Pat labels"]])
    opened.viewer.layers.clear()
    settings.put("autosave", True)
    opened.save()
    assert opened.files == []


def test_a_write_that_failed_when_the_case_was_closed_is_retried(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()
    with monkeypatch.context() as patch:
        patch.setattr(case_file, "write_masks", raise_disk_full)
        opened.viewer.layers.clear()
        opened.autosave.wait()
    assert opened.files == []
    opened.save()
    assert Opened(folder).autosave.restorable_files(opened.case) == opened.files != []


def test_an_export_that_ends_after_the_case_was_closed_deletes_its_file(edited, folder):
    exported = edited.autosave.checksums(edited.regions.values())
    edited.viewer.layers.clear()
    edited.autosave.mark_exported(exported)
    edited.autosave.wait()
    assert edited.files == []


def test_an_export_that_ends_after_later_strokes_were_closed_leaves_their_file(edited):
    exported = edited.autosave.checksums(edited.regions.values())
    edited.paint((5, 5, 5))
    edited.viewer.layers.clear()
    edited.autosave.mark_exported(exported)
    edited.autosave.wait()
    assert len(edited.files) == 1


def test_regions_that_return_are_saved_again_if_another_window_has_taken_their_file(edited):
    layers = list(edited.regions.values())
    edited.viewer.layers.clear()
    edited.autosave.wait()
    edited.files[0].unlink()
    for layer in layers:
        edited.viewer.add_layer(layer)
    edited.save()
    assert len(edited.files) == 1
