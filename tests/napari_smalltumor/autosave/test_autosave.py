"""Autosave files hold unexported edits, and are deleted when these are no longer needed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import settings
from napari_smalltumor.autosave import case_file
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_files import read_masks, write_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.finetune.prediction import Prediction, show_prediction
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind, case_of, region_layers, role_of
from napari_smalltumor.layers.region_masks import segmentation_of
from napari_smalltumor.loading.open_case import open_case

along_all_axes = pytest.mark.parametrize("folder", ["LPS", "RSA", "AIL"], indirect=True)


@pytest.fixture
def folder(request, tmp_path):
    """A case whose axes differ from those of the layers, unless parametrized otherwise."""
    return write_case_along(tmp_path / "Pat", getattr(request, "param", "AIL"))


class Opened:
    """A case that is open in a viewer, and the viewer's autosave."""

    def __init__(self, folder, viewer: ViewerModel | None = None) -> None:
        self.viewer = viewer or ViewerModel()
        self.autosave = ensure_autosave(self.viewer).autosave
        open_case(self.viewer, folder)
        self.case = case_of(self.viewer.layers[0])

    def segmented(self, seed: int = 5) -> Opened:
        classes = np.random.default_rng(seed).integers(0, 4, self.case.grid.shape).astype(np.uint8)
        result = Segmentation(self.case.name, classes, self.case.grid, self.case.header)
        show_segmentation(self.viewer, self.case, result)
        return self

    @property
    def regions(self):
        return region_layers(self.viewer.layers, self.case)

    def paint(self, at=(3, 4, 2)) -> None:
        """Toggle one voxel of ET."""
        et = self.regions[Region.ET]
        et.data_setitem(tuple(np.array([n]) for n in at), 1 - int(et.data[at]))

    def save(self) -> None:
        self.autosave.save()
        self.autosave.wait()

    @property
    def files(self):
        return sorted(self.autosave.folder.root.glob("*/*.safetensors"))


@pytest.fixture
def edited(folder):
    opened = Opened(folder).segmented()
    opened.paint()
    opened.save()
    return opened


def test_unedited_results_and_files_are_not_autosaved(folder):
    opened = Opened(folder).segmented()
    opened.save()
    assert opened.files == []
    assert not opened.autosave.folder.root.exists()


@along_all_axes
def test_edited_regions_are_restored_after_a_crash(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    edited.autosave.folder.unlock()  # as the system does when a process dies
    reopened = Opened(folder)
    (file,) = reopened.autosave.restorable_files(reopened.case)
    layers = restore(reopened.viewer, reopened.case, read_masks(file))
    assert [layer.name for layer in reopened.viewer.layers[-3:]] == ["Pat WT", "Pat TC", "Pat ET"]
    assert {layer.name for layer in layers} == {"Pat WT", "Pat TC", "Pat ET"}
    assert np.array_equal(segmentation_of(reopened.viewer.layers, reopened.case).classes, painted)
    for region, layer in reopened.regions.items():
        assert np.array_equal(layer.data, edited.regions[region].data)


@along_all_axes
def test_restoring_over_a_new_result_replaces_it_in_place(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    (file,) = edited.files
    reopened = Opened(folder).segmented()
    before = list(reopened.viewer.layers)
    restore(reopened.viewer, reopened.case, read_masks(file))
    assert list(reopened.viewer.layers) == before
    assert np.array_equal(segmentation_of(reopened.viewer.layers, reopened.case).classes, painted)


def test_edits_of_an_open_viewer_cannot_be_restored_in_another(edited, folder):
    reopened = Opened(folder)
    assert reopened.autosave.restorable_files(reopened.case) == []
    assert edited.autosave.restorable_files(edited.case) == []


def test_edits_cannot_be_restored_in_another_case(edited, tmp_path):
    edited.autosave.folder.unlock()
    other = Opened(write_case_along(tmp_path / "elsewhere" / "Pat", "LPS"))
    assert other.case.name == edited.case.name
    assert other.autosave.restorable_files(other.case) == []


def test_unchanged_edits_are_not_written_again(edited):
    (file,) = edited.files
    before = file.stat()
    edited.save()
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_undoing_an_edit_deletes_the_autosave(edited):
    edited.paint()
    edited.save()
    assert edited.files == []


def test_an_export_deletes_the_autosave_until_the_next_stroke(edited):
    edited.autosave.mark_exported(edited.regions.values())
    edited.save()
    assert edited.files == []
    edited.paint((5, 5, 5))
    edited.save()
    assert len(edited.files) == 1


def test_taking_back_what_was_exported_is_an_edit(edited):
    """The regions are the network's again, but the file is not."""
    edited.autosave.mark_exported(edited.regions.values())
    edited.paint()
    edited.save()
    assert "Pat ET" in edited.autosave.edited(edited.viewer.layers)
    assert len(edited.files) == 1
    edited.paint()
    edited.save()
    assert edited.autosave.edited(edited.viewer.layers) == [] and edited.files == []


@pytest.mark.parametrize("seed", [5, 6])
def test_a_new_result_after_an_export_is_no_edit(edited, seed):
    """Also if it is equal to the one before the edits that were exported."""
    edited.autosave.mark_exported(edited.regions.values())
    edited.paint()
    edited.segmented(seed)
    edited.save()
    assert edited.autosave.edited(edited.viewer.layers) == [] and edited.files == []


def test_a_new_result_deletes_the_autosave(edited):
    edited.segmented()
    edited.save()
    assert edited.files == []


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


@along_all_axes
def test_an_edited_label_volume_is_saved_and_restored(folder):
    opened = Opened(folder)
    labels = opened.viewer.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 4 - int(labels.data[3, 4, 2]) % 2)
    opened.save()
    (file,) = opened.files
    reopened = Opened(folder)
    (layer,) = restore(reopened.viewer, reopened.case, read_masks(file))
    assert layer is reopened.viewer.layers["Pat labels"]
    assert np.array_equal(layer.data, labels.data)
    reopened.viewer.layers.remove(layer)
    (recreated,) = restore(reopened.viewer, reopened.case, read_masks(file))
    assert np.array_equal(recreated.data, labels.data)
    assert recreated.scale == pytest.approx(labels.scale)


def test_an_edited_layer_that_is_removed_and_added_again_stays_edited(folder):
    opened = Opened(folder)
    labels = opened.viewer.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 4 - int(labels.data[3, 4, 2]) % 2)
    opened.viewer.layers.remove(labels)
    opened.viewer.add_layer(labels)
    opened.save()
    (mask,) = read_masks(opened.files[0])
    assert mask.name == "Pat labels"


def test_an_edited_prediction_is_restored_as_a_prediction(folder):
    opened = Opened(folder)
    scheme = SCHEMES["brats2018"]
    stored = np.zeros(opened.case.grid.shape, np.uint8)
    kind = LayerKind.PREDICTION
    data, attributes, _ = labels_layer(opened.case, stored, scheme, "Pat prediction", kind=kind)
    layer = opened.viewer.add_labels(data, **attributes)
    layer.data_setitem(tuple(np.array([n]) for n in (1, 2, 3)), 4)
    opened.save()
    (file,) = opened.files
    opened.viewer.layers.remove(layer)
    (restored,) = restore(opened.viewer, opened.case, read_masks(file))
    assert restored.data[1, 2, 3] == 4
    assert role_of(restored).kind is LayerKind.PREDICTION


@along_all_axes
def test_restored_edits_are_saved_again(edited, folder):
    (file,) = edited.files
    reopened = Opened(folder)
    reopened.autosave.mark_edited(restore(reopened.viewer, reopened.case, read_masks(file)))
    reopened.save()
    assert reopened.autosave.folder.file_of(reopened.case).exists()


def toggle_voxel(layer, at) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in at), 1 - int(layer.data[at] != 0))


@pytest.mark.parametrize("region", list(Region))
def test_all_regions_of_a_case_are_saved_together(folder, region):
    opened = Opened(folder).segmented()
    before = opened.regions[region].data.copy()
    at = tuple(np.argwhere(opened.regions[Region.WT].data == 0)[0])
    toggle_voxel(opened.regions[region], at)
    opened.save()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == set(Region)
    for kind, mask in masks.items():
        shown = np.array(to_display(mask.on_grid(opened.case.grid.shape), opened.case.grid))
        assert np.array_equal(shown, opened.regions[kind].data)
    opened.regions[region].undo()
    assert np.array_equal(opened.regions[region].data, before)
    opened.save()
    assert opened.files == []


@pytest.mark.parametrize("region", list(Region))
def test_a_removed_region_is_saved_with_the_others(edited, region):
    painted = {r: layer.data.copy() for r, layer in edited.regions.items()}
    edited.viewer.layers.remove(edited.regions[region])
    edited.save()
    (file,) = edited.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == set(Region)
    grid = edited.case.grid
    for kind, mask in masks.items():
        assert np.array_equal(to_display(mask.on_grid(grid.shape), grid), painted[kind])


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

    def raise_disk_full(*arguments):
        raise SmalltumorError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(case_file, "write_masks", raise_disk_full)
        opened.save()
        assert opened.files == []
    opened.save()
    assert len(opened.files) == 1


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
    own = edited.autosave.folder.file_of(edited.case)
    assert own.exists()
    assert own not in Opened(folder).autosave.restorable_files(edited.case)


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


def test_strokes_after_the_copy_are_not_marked_as_exported(edited):
    copied = edited.autosave.checksums(edited.regions.values())
    edited.paint((5, 5, 5))
    edited.autosave.mark_exported(copied)
    edited.save()
    assert len(edited.files) == 1
    edited.paint((5, 5, 5))
    edited.save()
    assert edited.files == []


def prediction_of(case, voxels: int) -> Prediction:
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2 : 2 + voxels, 3, 3] = 3
    stored, kind = SCHEMES["brats2023"].encode(classes), LayerKind.PREDICTION
    layer = labels_layer(case, stored, SCHEMES["brats2023"], "prediction", kind=kind)
    return Prediction(case, layer, "")


def test_an_updated_prediction_does_not_count_as_an_edit(folder):
    opened = Opened(folder)
    for voxels in (2, 4, 0):
        layer = show_prediction(opened.viewer, prediction_of(opened.case, voxels))
        opened.save()
        assert opened.files == []
    layer.data_setitem((np.array([3]), np.array([4]), np.array([2])), 1)
    opened.save()
    assert len(opened.files) == 1


def test_nothing_is_saved_while_autosave_is_disabled(folder):
    settings.put("autosave", False)
    opened = Opened(folder).segmented()
    opened.paint()
    opened.save()
    opened.viewer.layers.clear()
    assert opened.files == []


def test_edits_that_are_exported_while_autosave_is_disabled_are_not_offered_later(edited):
    settings.put("autosave", False)
    edited.paint((5, 5, 5))
    edited.autosave.mark_exported(edited.regions.values())
    edited.autosave.wait()
    assert edited.files == []


def test_a_write_error_is_reported_once_and_the_edits_stay_in_the_viewer(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()
    painted = opened.regions[Region.ET].data.copy()

    def raise_disk_full(*arguments):
        raise SmalltumorError("the disk is full")

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
