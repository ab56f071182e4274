"""Layers belong to the patient whose name and folder their files have."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import case_along, oriented, random_volume, write_case_along
from smalltumor.errors import CaseError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.joining import join_patient
from napari_smalltumor.layers.metadata import case_of, region_of, same_case
from napari_smalltumor.layers.patient import (
    Patient,
    assign,
    layers_of_patient,
    name_apart,
    patient_of,
    patient_of_case,
    patient_of_images,
    patient_of_shown_case,
    patients_among,
    titles,
)
from napari_smalltumor.loading.reader import get_reader


def read(path: Path) -> list[Layer]:
    return [Layer.create(*data) for data in get_reader(str(path))(str(path))]


def test_all_files_of_a_folder_belong_to_one_patient_however_they_are_opened(tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    together = read(folder)
    one_by_one = [layer for file in folder.iterdir() for layer in read(file)]
    assert set(map(patient_of, together + one_by_one)) == {Patient("Pat", folder)}


def test_two_folders_of_one_name_are_two_patients_with_different_titles(tmp_path):
    folders = [write_case_along(tmp_path / visit / "Pat") for visit in ("first", "second")]
    patients = patients_among([layer for folder in folders for layer in read(folder)])
    assert list(titles(patients).values()) == ["Pat (first)", "Pat (second)"]
    assert titles(patients[:1]) == {patients[0]: "Pat"}


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["/d/a", "/d/b"], ["P (a)", "P (b)"]),
        (["/d/a/x", "/d/b/x", "/d/b/y"], ["P (a/x)", "P (b/x)", "P (y)"]),
        (["/d/a", None], ["P (a)", "P (no file)"]),
        (["/d/a", "/d/a/b"], ["P (a)", "P (b)"]),
    ],
)
def test_titles_of_patients_of_one_name_have_the_part_of_the_folder_that_differs(folders, expected):
    patients = [Patient("P", Path(f) if f else None) for f in folders]
    assert [titles(patients)[p] for p in patients] == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (
            [("Zoe", "/d/a"), ("Zoe", "/d/b"), ("Zoe (a)", "/d/c")],
            ["Zoe (/d/a)", "Zoe (b)", "Zoe (a) (/d/c)"],
        ),
        ([("Zo\xeb", "/d"), ("Zoe\u0308", "/d")], ["Zo\xeb (/d, 1)", "Zoe\u0308 (/d, 2)"]),
        ([("Zo\xeb", "/d/a"), ("Zoe\u0308", "/d/b")], ["Zo\xeb (a)", "Zoe\u0308 (b)"]),
    ],
)
def test_no_two_titles_look_the_same(named, expected):
    patients = [Patient(name, Path(folder)) for name, folder in named]
    assert list(titles(patients).values()) == expected


def test_images_of_another_reader_are_named_apart_from_a_patient_of_their_name():
    first, second = case_along(name="case"), case_along(name="case")
    open_layers = [Layer.create(*data) for data in image_layers(first)]
    name_apart(second, open_layers[:1], open_layers)
    assert second.name == "case"  # its image is of that patient
    name_apart(second, [Layer.create(second.volumes["t1ce"])], open_layers)
    assert second.name == "case 2"
    others = [Layer.create(*data) for data in image_layers(second)]
    third = case_along(name="case")
    name_apart(third, [Layer.create(third.volumes["t1ce"])], open_layers + others)
    assert third.name == "case 3"


def test_copies_belong_to_the_patient_of_the_original(tmp_path):
    layer = read(write_case_along(tmp_path / "Pat"))[0]
    data, attributes, kind = layer.as_layer_data_tuple()
    copy = Layer.create(data.copy(), attributes, kind)
    assert patient_of(copy) == patient_of(layer) == Patient("Pat", tmp_path / "Pat")


def test_an_assigned_patient_replaces_that_of_the_case():
    layer = Layer.create(*image_layers(case_along())[0])
    other = Patient("Other")
    assign(layer, other)
    assert patient_of(layer) == other
    plain = Layer.create(np.zeros((2, 2, 2)), {}, "image")
    assert patient_of(plain) is None
    assign(plain, other)
    assert layers_of_patient([layer, plain], other) == [layer, plain]


def masks_in_another_folder(tmp_path, name: str) -> list[Layer]:
    folder = write_case_along(tmp_path / "masks" / "case", name=name)
    for file in folder.glob("*[!g].nii.gz"):
        file.unlink()
    return [layer for file in folder.iterdir() for layer in read(file)]


def test_labels_in_another_folder_join_the_only_patient_of_their_name_and_grid(tmp_path):
    images = read(write_case_along(tmp_path / "Pat", labels=False))
    (labels,) = masks_in_another_folder(tmp_path, "Pat")
    join_patient(labels, [*images, labels], None)
    assert patient_of(labels) == patient_of(images[0])


@pytest.mark.parametrize("name", ["Pat_seg", "corrected"])
def test_a_mask_in_a_folder_that_cannot_be_listed_joins_nobody_and_that_is_said(
    tmp_path, name, monkeypatch
):
    images = read(write_case_along(tmp_path / "Pat", labels=False))
    folder = write_case_along(tmp_path / "masks", labels=True, name="Pat")
    file = (folder / "Pat_seg.nii.gz").rename(folder / f"{name}.nii.gz")
    (mask,) = read(file)

    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    said: list[str] = []
    monkeypatch.setattr(notify, "warn", said.append)
    monkeypatch.setattr(os, "scandir", scandir)
    file.parent.touch()  # nothing is known of it
    assert not join_patient(mask, [*images, mask], patient_of(images[0]))
    assert patient_of(mask) != patient_of(images[0])
    (text,) = said
    assert f"{file.parent} cannot be read: Permission denied" in text


def test_labels_join_the_images_that_are_opened_later(tmp_path):
    (labels,) = masks_in_another_folder(tmp_path, "Pat")
    images = read(write_case_along(tmp_path / "Pat", labels=False))
    join_patient(images[0], [labels, images[0]], patient_of(labels))
    assert patient_of(labels) == patient_of(images[0])


def test_a_case_of_labels_that_joined_their_images_has_the_patient_of_the_images(tmp_path):
    images = read(write_case_along(tmp_path / "Pat", labels=False))
    (labels,) = masks_in_another_folder(tmp_path, "Pat")
    join_patient(labels, [*images, labels], None)
    layers, case = [*images, labels], case_of(labels)
    assert patient_of_case(case) != patient_of(images[0])
    assert patient_of_shown_case(layers, case) == patient_of(images[0])
    assert patient_of_shown_case([], case) == patient_of_case(case)


def test_labels_that_could_belong_to_two_patients_join_neither(tmp_path):
    layers = [
        layer
        for visit in ("first", "second")
        for layer in read(write_case_along(tmp_path / visit / "Pat", labels=False))
    ]
    (labels,) = masks_in_another_folder(tmp_path, "Pat")
    before = patient_of(labels)
    join_patient(labels, [*layers, labels], patient_of(layers[0]))
    assert patient_of(labels) == before != patient_of(layers[0])


def test_a_mask_whose_name_states_no_case_joins_the_active_patient_with_its_grid(tmp_path):
    images = read(write_case_along(tmp_path / "Pat", labels=False))
    others = read(write_case_along(tmp_path / "Other", "RAS", labels=False))
    folder = write_case_along(tmp_path / "masks" / "case", name="x")
    (folder / "x_seg.nii.gz").rename(folder / "corrected.nii.gz")
    for image in folder.glob("x_*"):
        image.unlink()
    layers = [*images, *others]
    for active, expected in ((images[0], "Pat"), (others[0], "corrected")):
        (mask,) = read(folder / "corrected.nii.gz")
        join_patient(mask, [*layers, mask], patient_of(active))
        assert patient_of(mask).name == expected


def test_region_masks_of_two_folders_are_two_cases(tmp_path):
    layers = []
    for visit in ("first", "second"):
        (tmp_path / visit).mkdir()
        mask = (random_volume(9) % 2).astype(np.uint8)
        nib.save(oriented(mask, "LPS"), tmp_path / visit / "Pat_et.nii.gz")
        layers += read(tmp_path / visit / "Pat_et.nii.gz")
    assert [region_of(layer) for layer in layers] == [Region.ET, Region.ET]
    assert not same_case(*map(case_of, layers))
    assert len(patients_among(layers)) == 2


def test_images_of_another_patient_are_refused(tmp_path):
    first = read(write_case_along(tmp_path / "First", labels=False))
    second = read(write_case_along(tmp_path / "Second", labels=False))
    case = case_along(name="First")
    case.folder = tmp_path / "First"
    assert patient_of_images(first, case) == patient_of_case(case)
    with pytest.raises(CaseError, match="Second T1CE is an image of another patient than First"):
        patient_of_images([*first[:3], second[3]], case)


def test_the_first_layer_of_a_viewer_needs_no_other_layers():
    layer = Layer.create(*image_layers(case_along())[0])
    viewer = ViewerModel()
    viewer.add_layer(layer)
    join_patient(layer, viewer.layers, None)
    assert patient_of(layer) == Patient("Pat")
