"""A correction reaches every layer of the case, those that were removed too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from raw_scans import prepared_by_hand, write_raw_scan
from shown_layers import newest_case_layers
from smalltumor.data.read_case import read_case
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case

from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.modalities import case_of_layers
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.prepared_scan.scan_layers import scan_layers, show_images

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def folder(tmp_path):
    write_prepared(prepared_by_hand(write_raw_scan(tmp_path / "scan")), tmp_path / "Pat")
    return tmp_path / "Pat"


@pytest.fixture
def viewer(folder):
    viewer = ViewerModel()
    removed_layers(viewer)
    open_case(viewer, folder)
    return viewer


def correct(viewer):
    """Show images of the value 5."""
    case = scan_layers(viewer).case
    prepared = stored_case(case)
    sequences = {
        m: replace(s, image=np.full_like(s.image, 5)) for m, s in prepared.sequences.items()
    }
    show_images(viewer, case, replace(prepared, sequences=sequences))


def shown(viewer):
    return {m: set(np.unique(x.data)) for m, x in scan_layers(viewer).images.items()}


def test_an_image_that_was_removed_returns_corrected(viewer):
    viewer.layers.remove(scan_layers(viewer).images["flair"])
    correct(viewer)
    removed_layers(viewer).restore(active_patient(viewer).current)
    assert shown(viewer) == {m: {5} for m in ("t1", "t1ce", "t2", "flair")}


def test_an_image_that_was_opened_again_is_corrected(viewer, folder):
    viewer.layers.remove(scan_layers(viewer).images["flair"])
    open_case(viewer, folder)
    layers = scan_layers(viewer)
    assert case_of(layers.images["flair"]) is not layers.case
    correct(viewer)
    assert shown(viewer) == {m: {5} for m in ("t1", "t1ce", "t2", "flair")}
    segmented = case_of_layers(newest_case_layers(viewer.layers))
    assert {value for v in segmented.volumes.values() for value in np.unique(v)} == {5}


def test_a_corrected_image_cannot_be_painted_in_labels_that_it_is_converted_to(viewer):
    correct(viewer)
    images = scan_layers(viewer).images
    case = case_of(images["t1"])
    for image in (*(layer.data for layer in images.values()), *case.volumes.values()):
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0, 0] = 1


def test_an_image_of_another_case_stays(viewer, tmp_path):
    other = prepared_by_hand(write_raw_scan(tmp_path / "other"), "Other")
    write_prepared(other, tmp_path / "Other")
    before = list(viewer.layers)
    open_case(viewer, tmp_path / "Other")
    correct(viewer)
    assert all(set(np.unique(layer.data)) != {5} for layer in before)


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_a_correction_that_was_written_is_no_change_of_the_images(viewer, folder, dtype):
    case = scan_layers(viewer).case
    prepared = stored_case(case)
    sequences = {
        m: replace(s, image=(s.image[::-1] * 1.1).astype(dtype))
        for m, s in prepared.sequences.items()
    }
    corrected = replace(prepared, sequences=sequences)
    write_prepared(corrected, folder, overwrite=True)
    assert case.has_changed_images
    show_images(viewer, case, corrected)
    assert not case.has_changed_images
    assert case_key(case) == case_key(read_case(folder))
    (folder / case.paths["t1ce"].name).touch()
    assert not case.has_changed_images
