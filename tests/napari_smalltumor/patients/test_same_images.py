"""Open patients who show the same images are named to each other."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from synthetic import SHAPE, write_case

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.same_images import same_images_texts


@pytest.fixture
def anna(tmp_path) -> Path:
    return write_case(tmp_path / "Anna", name="Anna")


def texts(viewer) -> list[str]:
    return same_images_texts(active_patient(viewer), viewer.layers)


def test_a_copy_under_another_name_is_named_and_names_the_other(viewer, anna, tmp_path):
    open_case(viewer, anna)
    open_case(viewer, write_case(tmp_path / "Bert", name="Bert"))

    assert texts(viewer) == ["The same images are open as Anna"]
    active_patient(viewer).activate(active_patient(viewer).patients[0])
    assert texts(viewer) == ["The same images are open as Bert"]


def test_a_copy_with_other_axes_and_another_compression_is_told(viewer, anna, tmp_path):
    copy = tmp_path / "Bert"
    copy.mkdir()
    for path in anna.iterdir():
        image = nib.load(path)
        turned = image.as_reoriented(nib.orientations.axcodes2ornt(("R", "A", "S")))
        nib.save(turned, copy / path.name.replace("Anna", "Bert").replace(".gz", ""))

    open_case(viewer, anna)
    open_case(viewer, copy)

    assert texts(viewer) == ["The same images are open as Anna"]


def test_a_copy_in_another_folder_is_told_by_its_folder(viewer, anna, tmp_path):
    open_case(viewer, anna)
    open_case(viewer, write_case(tmp_path / "copies" / "Anna", name="Anna"))

    (text,) = texts(viewer)
    assert text.startswith("The same images are open as Anna (")


def test_other_images_are_not_told(viewer, anna, tmp_path):
    open_case(viewer, anna)
    open_case(viewer, write_case(tmp_path / "Bert", name="Bert", seed=4))

    assert texts(viewer) == []


def test_single_images_of_another_patient_are_named(viewer, anna, tmp_path):
    flair, t1 = (nib.load(anna / f"Anna_{m}.nii.gz") for m in ("flair", "t1"))
    same = {"flair": (np.asarray(flair.dataobj), flair.affine)}
    open_case(viewer, anna)
    open_case(viewer, write_case(tmp_path / "Bert", name="Bert", seed=4, **same))
    same["t1"] = (np.asarray(t1.dataobj), t1.affine)
    assert texts(viewer) == ["The same FLAIR is open as Anna"]

    open_case(viewer, write_case(tmp_path / "Carl", name="Carl", seed=5, **same))

    assert texts(viewer) == [
        "The same FLAIR and T1 are open as Anna",
        "The same FLAIR is open as Bert",
    ]


def test_images_without_contrast_are_nobody_elses(viewer, tmp_path):
    constant = {"t2": (np.full(SHAPE, 7, np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]))}
    for seed, name in enumerate(("Anna", "Bert")):
        open_case(viewer, write_case(tmp_path / name, name=name, seed=seed, **constant))

    assert texts(viewer) == []


def test_a_patient_that_is_closed_is_no_longer_named(viewer, anna, tmp_path):
    open_case(viewer, anna)
    first = list(viewer.layers)
    open_case(viewer, write_case(tmp_path / "Bert", name="Bert"))
    for layer in first:
        viewer.layers.remove(layer)

    assert texts(viewer) == []
