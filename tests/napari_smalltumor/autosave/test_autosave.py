"""Edits that no file holds are kept, and only as long as no file holds them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import settings
from napari_smalltumor.autosave import autosave
from napari_smalltumor.autosave.files import AutosaveFolder, read_masks, write_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.finetune.prediction import Prediction, show_prediction
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind, case_of, region_layers
from napari_smalltumor.layers.region_masks import segmentation_of
from napari_smalltumor.layers.regions import show_segmentation
from napari_smalltumor.open_case import open_case

along_all_axes = pytest.mark.parametrize("folder", ["LPS", "RSA", "AIL"], indirect=True)


@pytest.fixture
def folder(request, tmp_path):
    """A case along axes that are not those of the layers, unless a test asks for others."""
    return write_case_along(tmp_path / "Pat", getattr(request, "param", "AIL"))


class Opened:
    """A case in a viewer, with a result, and its autosave."""

    def __init__(self, folder, viewer: ViewerModel | None = None) -> None:
        self.viewer = viewer or ViewerModel()
        self.autosave = ensure_autosave(self.viewer).autosave
        open_case(self.viewer, folder)
        self.case = case_of(self.viewer.layers[0])

    def segmented(self) -> Opened:
        classes = np.random.default_rng(5).integers(0, 4, self.case.grid.shape).astype(np.uint8)
        result = Segmentation(self.case.name, classes, self.case.grid, self.case.header)
        show_segmentation(self.viewer, self.case, result)
        return self

    @property
    def regions(self):
        return region_layers(self.viewer.layers, self.case)

    def paint(self, at=(3, 4, 2)) -> None:
        """Turn one voxel of ET over."""
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


def test_a_result_and_a_file_are_not_kept(folder):
    opened = Opened(folder).segmented()
    opened.save()
    assert opened.files == []
    assert not opened.autosave.folder.root.exists()


@along_all_axes
def test_after_a_crash_every_region_is_as_it_was_painted(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    edited.autosave.folder.unlock()  # what the system does when a process dies
    again = Opened(folder)
    (file,) = again.autosave.restorable_files(again.case)
    layers = restore(again.viewer, again.case, read_masks(file))
    assert [layer.name for layer in again.viewer.layers[-3:]] == ["Pat WT", "Pat TC", "Pat ET"]
    assert {layer.name for layer in layers} == {"Pat WT", "Pat TC", "Pat ET"}
    assert np.array_equal(segmentation_of(again.viewer.layers, again.case).classes, painted)
    for region, layer in again.regions.items():
        assert np.array_equal(layer.data, edited.regions[region].data)


@along_all_axes
def test_restoring_over_a_new_result_replaces_it_in_place(edited, folder):
    painted = segmentation_of(edited.viewer.layers, edited.case).classes
    (file,) = edited.files
    again = Opened(folder).segmented()
    before = list(again.viewer.layers)
    restore(again.viewer, again.case, read_masks(file))
    assert list(again.viewer.layers) == before
    assert np.array_equal(segmentation_of(again.viewer.layers, again.case).classes, painted)


def test_what_a_living_viewer_keeps_is_not_offered_to_another(edited, folder):
    again = Opened(folder)
    assert again.autosave.restorable_files(again.case) == []
    assert edited.autosave.restorable_files(edited.case) == []


def test_another_case_is_offered_nothing(edited, tmp_path):
    edited.autosave.folder.unlock()
    other = Opened(write_case_along(tmp_path / "elsewhere" / "Pat", "LPS"))
    assert other.case.name == edited.case.name
    assert other.autosave.restorable_files(other.case) == []


def test_nothing_is_written_when_nothing_has_changed(edited):
    (file,) = edited.files
    before = file.stat()
    edited.save()
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_an_edit_that_is_undone_is_kept_no_longer(edited):
    edited.paint()
    edited.save()
    assert edited.files == []


def test_an_export_ends_it_until_the_next_stroke(edited):
    edited.autosave.mark_exported(edited.regions.values())
    edited.save()
    assert edited.files == []
    edited.paint((5, 5, 5))
    edited.save()
    assert len(edited.files) == 1


def test_a_new_result_that_was_agreed_to_ends_it(edited):
    edited.segmented()
    edited.save()
    assert edited.files == []


@along_all_axes
def test_a_case_that_is_closed_unexported_is_offered_when_it_is_opened_again(edited, folder):
    painted = {region: layer.data.copy() for region, layer in edited.regions.items()}
    edited.paint()
    edited.paint()  # back again, after the last save
    edited.viewer.layers.clear()
    edited.autosave.wait()
    open_case(edited.viewer, folder)
    case = case_of(edited.viewer.layers[0])
    (file,) = edited.autosave.restorable_files(case)
    restore(edited.viewer, case, read_masks(file))
    for region, layer in region_layers(edited.viewer.layers, case).items():
        assert np.array_equal(layer.data, painted[region])


@along_all_axes
def test_strokes_since_the_last_minute_are_kept_when_a_case_is_closed(folder):
    opened = Opened(folder).segmented()
    opened.paint()
    painted = {region: layer.data.copy() for region, layer in opened.regions.items()}
    opened.viewer.layers.clear()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    assert masks.keys() == painted.keys()
    again = Opened(folder)
    restore(again.viewer, again.case, masks.values())
    for region, layer in again.regions.items():
        assert np.array_equal(layer.data, painted[region])


@along_all_axes
def test_a_label_volume_that_is_painted_is_kept_and_comes_back(folder):
    opened = Opened(folder)
    labels = opened.viewer.layers["Pat labels"]
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 4 - int(labels.data[3, 4, 2]) % 2)
    opened.save()
    (file,) = opened.files
    again = Opened(folder)
    (layer,) = restore(again.viewer, again.case, read_masks(file))
    assert layer is again.viewer.layers["Pat labels"]
    assert np.array_equal(layer.data, labels.data)
    again.viewer.layers.remove(layer)
    (anew,) = restore(again.viewer, again.case, read_masks(file))
    assert np.array_equal(anew.data, labels.data)
    assert anew.scale == pytest.approx(labels.scale)


@along_all_axes
def test_what_was_restored_is_kept_at_once(edited, folder):
    (file,) = edited.files
    again = Opened(folder)
    again.autosave.mark_edited(restore(again.viewer, again.case, read_masks(file)))
    again.save()
    assert again.autosave.folder.file_of(again.case).exists()


def painted_voxel(layer, at) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in at), 1 - int(layer.data[at] != 0))


@pytest.mark.parametrize("region", list(Region))
def test_the_regions_of_a_case_are_kept_together_or_not_at_all(folder, region):
    opened = Opened(folder).segmented()
    before = opened.regions[region].data.copy()
    at = tuple(np.argwhere(opened.regions[Region.WT].data == 0)[0])
    painted_voxel(opened.regions[region], at)
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
def test_a_region_that_is_removed_is_kept_with_the_others(edited, region):
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
    """Writes that begin, and end when they are let."""
    begun, go_on = threading.Event(), threading.Event()

    def write_slowly(*arguments):
        begun.set()
        assert go_on.wait(60)
        write_masks(*arguments)

    monkeypatch.setattr(autosave, "write_masks", write_slowly)
    yield begun, go_on
    go_on.set()


def test_strokes_during_a_write_are_written_by_the_next(folder, slow_disk):
    begun, go_on = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert begun.wait(60)
    opened.paint((5, 5, 5))
    opened.autosave.save()
    go_on.set()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    grid = opened.case.grid
    for region, layer in opened.regions.items():
        assert np.array_equal(to_display(masks[region].on_grid(grid.shape), grid), layer.data)


def test_an_undo_during_a_write_ends_it(folder, slow_disk):
    begun, go_on = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert begun.wait(60)
    opened.paint()
    opened.autosave.save()
    go_on.set()
    opened.autosave.wait()
    assert opened.files == []


def test_closing_a_case_during_a_write_keeps_its_last_strokes(folder, slow_disk):
    begun, go_on = slow_disk
    opened = Opened(folder).segmented()
    opened.paint()
    opened.autosave.save()
    assert begun.wait(60)
    opened.paint((5, 5, 5))
    painted = {region: layer.data.copy() for region, layer in opened.regions.items()}
    opened.viewer.layers.clear()
    go_on.set()
    opened.autosave.wait()
    (file,) = opened.files
    masks = {mask.region: mask for mask in read_masks(file)}
    grid = opened.case.grid
    for region, data in painted.items():
        assert np.array_equal(to_display(masks[region].on_grid(grid.shape), grid), data)


def test_a_write_that_failed_is_tried_again(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()

    def refuse(*arguments):
        raise autosave.SmalltumorError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(autosave, "write_masks", refuse)
        opened.save()
        assert opened.files == []
    opened.save()
    assert len(opened.files) == 1


def test_two_viewers_keep_the_same_case_apart(folder):
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


def test_edits_of_a_closed_case_are_offered_to_another_viewer_of_the_same_program(edited, folder):
    edited.viewer.layers.clear()
    edited.autosave.wait()
    again = Opened(folder)
    (file,) = again.autosave.restorable_files(again.case)
    assert {mask.region for mask in read_masks(file)} == set(Region)
    assert edited.autosave.restorable_files(edited.case) == [file]


def test_a_viewer_goes_on_keeping_edits_after_its_last_case_was_closed(edited, folder):
    edited.viewer.layers.clear()
    open_case(edited.viewer, folder)
    edited.segmented()
    edited.paint((5, 5, 5))
    edited.save()
    assert edited.autosave.folder.file_of(edited.case).exists()
    assert Opened(folder).autosave.restorable_files(edited.case) == []


def test_only_what_was_copied_counts_as_exported(edited):
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


def test_a_prediction_is_no_edit_however_often_it_is_shown(folder):
    opened = Opened(folder)
    for voxels in (2, 4, 0):
        layer = show_prediction(opened.viewer, prediction_of(opened.case, voxels))
        opened.save()
        assert opened.files == []
    layer.data_setitem((np.array([3]), np.array([4]), np.array([2])), 1)
    opened.save()
    assert len(opened.files) == 1


def test_switched_off_nothing_is_kept(folder):
    settings.put("autosave", False)
    opened = Opened(folder).segmented()
    opened.paint()
    opened.save()
    opened.viewer.layers.clear()
    assert opened.files == []


def test_a_disk_that_refuses_is_told_and_the_edits_stay_in_the_viewer(folder, monkeypatch):
    opened = Opened(folder).segmented()
    opened.paint()
    painted = opened.regions[Region.ET].data.copy()

    def refuse(*arguments):
        raise autosave.SmalltumorError("the disk is full")

    monkeypatch.setattr(autosave, "write_masks", refuse)
    opened.save()
    assert opened.autosave.problem() == "the disk is full"
    assert opened.autosave.problem() is None
    assert np.array_equal(opened.regions[Region.ET].data, painted)


def test_an_empty_folder_goes_and_a_foreign_one_stays(tmp_path):
    folder = AutosaveFolder(tmp_path)
    folder.lock()
    (tmp_path / "other").mkdir()
    folder.unlock()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
