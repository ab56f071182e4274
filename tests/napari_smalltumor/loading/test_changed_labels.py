"""A label file that was replaced is not said to be open already."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari_cases import oriented, random_volume, write_case_along

from napari_smalltumor import notify
from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.loading.window_reader import get_reader


@pytest.fixture
def said(monkeypatch) -> list[str]:
    shown: list[str] = []
    for kind in ("error", "info", "warn"):
        monkeypatch.setattr(notify, kind, shown.append)
    return shown


def write_labels(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.array([0, 1, 2, 4], np.uint8)[random_volume(seed) % 4]
    nib.save(oriented(stored, "LPS"), path)
    return path


@pytest.fixture(params=["alone", "beside images", "with its folder"])
def opened(request, viewer, tmp_path, said) -> Path:
    """A label file that a layer shows, by itself or beside images."""
    folder = tmp_path / "Pat"
    path = write_labels(folder / "Pat_seg.nii.gz", 1)
    if request.param != "alone":
        write_case_along(folder, labels=False)
    with_folder = request.param == "with its folder"
    open_and_remember(viewer, folder if with_folder else path)
    assert sum(layer._type_string == "labels" for layer in viewer.layers) == 1
    said.clear()
    return path


def labels_in(viewer: ViewerModel) -> Labels:
    return next(layer for layer in viewer.layers if layer._type_string == "labels")


def says_that_it_changed(viewer: ViewerModel, text: str) -> bool:
    return text == (
        f"Pat_seg.nii.gz no longer holds the labels that are shown as {labels_in(viewer).name}, "
        "and nothing was opened; save what you need of that layer, remove it, and open the file "
        "again"
    )


def test_a_label_file_that_was_overwritten_is_refused(viewer, opened, said):
    before = list(viewer.layers)
    write_labels(opened, 2)
    open_and_remember(viewer, opened)
    assert list(viewer.layers) == before
    assert len(said) == 1 and says_that_it_changed(viewer, said[0])


def test_its_folder_is_refused_too(viewer, opened, said):
    before = list(viewer.layers)
    write_labels(opened, 2)
    open_and_remember(viewer, opened.parent)
    assert list(viewer.layers) == before
    assert len(said) == 1 and says_that_it_changed(viewer, said[0])


def test_napari_s_reader_refuses_it(viewer, opened, said, monkeypatch):
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    before = list(viewer.layers)
    write_labels(opened, 2)
    assert get_reader(str(opened))(str(opened)) == [(None,)]
    assert list(viewer.layers) == before and says_that_it_changed(viewer, said[0])


def test_after_the_layer_was_removed_the_new_labels_open(viewer, opened):
    write_labels(opened, 2)
    viewer.layers.remove(labels_in(viewer))
    open_and_remember(viewer, opened)
    stored = np.asarray(nib.load(opened).dataobj)
    shown = labels_in(viewer).data
    assert np.array_equal(np.bincount(shown.ravel()), np.bincount(stored.ravel()))


def test_the_same_labels_written_again_are_open_already(viewer, opened, said):
    layer = labels_in(viewer)
    layer.data_setitem(tuple(np.array([2]) for _ in range(3)), [1 - min(layer.data[2, 2, 2], 1)])
    write_labels(opened, 1)
    open_and_remember(viewer, opened)
    *of_edits, is_open = said
    assert is_open == f"Pat_seg.nii.gz is open already, as {layer.name}."
    assert all("you edited the mask" in text for text in of_edits)


def test_edits_of_labels_alone_are_not_of_other_labels_in_their_file(viewer, tmp_path):
    path = write_labels(tmp_path / "Pat_seg.nii.gz", 1)
    keys = []
    for seed in (1, 2, 1):
        write_labels(path, seed)
        open_and_remember(viewer, path)
        keys.append(case_key(case_of(labels_in(viewer))))
        viewer.layers.clear()
    assert keys[0] == keys[2] != keys[1]
