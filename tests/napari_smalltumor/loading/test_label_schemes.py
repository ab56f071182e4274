"""Numbers with several meanings: what is offered, and the layer with the chosen meaning."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from lesion_layers import classes, synthetic_case
from napari.layers import Layer
from slicer_files import write_segments
from smalltumor.errors import LabelError
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES
from synthetic import write_case

from napari_smalltumor import notify
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.create import plain_labels_layer
from napari_smalltumor.layers.metadata import LayerKind, role_of, source_role_of
from napari_smalltumor.layers.patient import patient_of, patient_of_case
from napari_smalltumor.loading.files.single_file import read_single_file
from napari_smalltumor.loading.labels.scheme_choices import scheme_choices
from napari_smalltumor.loading.labels.schemes import apply_scheme
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient


def meanings(*values: int) -> dict[str, str]:
    return {choice.meaning: choice.data_sets for choice in scheme_choices([0, *values])}


def test_a_four_is_tumour_cavity_or_edema():
    assert meanings(1, 2, 4) == {
        "1 necrosis or non-enhancing core, 2 edema, 4 enhancing tumour": (
            "BraTS 2017 to 2022; BraTS 2012 to 2016"
        ),
        "1 necrosis or non-enhancing core, 2 edema, 4 resection cavity": (
            "BraTS after treatment from 2024, metastases from 2025"
        ),
        "1 enhancing tumour, 2 necrosis or non-enhancing core, 4 edema": (
            "BraTS of children from 2024"
        ),
    }


@pytest.mark.parametrize("values", [(), (1, 2, 17), (1000,)])
def test_numbers_of_no_scheme_have_no_meaning_to_choose(values):
    assert meanings(*values) == {}


def test_every_scheme_that_is_read_is_offered_for_its_own_values():
    for scheme in READ_SCHEMES.values():
        choices = scheme_choices(scheme.classes)
        assert any(choice.scheme.classes.items() >= scheme.classes.items() for choice in choices)


@pytest.fixture
def numbers(viewer, tmp_path) -> Layer:
    """A layer of numbers of the scheme of children, of an open patient."""
    case = synthetic_case()
    case.labels_path = tmp_path / "corrected.nii.gz"
    stored = READ_SCHEMES["brats2024-ped"].encode(classes())
    viewer.add_labels(np.zeros((2, 2, 2), np.uint8), name="other")
    layer = Layer.create(*plain_labels_layer(case, stored, "corrected"))
    viewer.add_layer(layer)
    active_patient(viewer)
    viewer.add_labels(np.zeros((2, 2, 2), np.uint8), name="on top")
    return layer


def test_the_layer_with_the_chosen_meaning_takes_the_place_of_the_numbers(viewer, numbers):
    case = role_of(numbers).case
    layer = apply_scheme(viewer, numbers, READ_SCHEMES["brats2024-ped"])
    assert [x.name for x in viewer.layers] == ["other", "Pat labels", "on top"]
    role = role_of(layer)
    assert (role.kind, role.scheme) == (LayerKind.TISSUE_CLASSES, "brats2018")  # it is only read
    stored = from_display(np.asarray(layer.data), case.grid)
    assert np.array_equal(SCHEMES["brats2018"].decode(stored), classes())
    assert case.scheme_hint == "brats2024-ped"
    assert active_patient(viewer).current == patient_of(layer) == patient_of_case(case)


def test_a_meaning_that_does_not_fit_leaves_the_numbers(viewer, numbers):
    with pytest.raises(LabelError):
        apply_scheme(viewer, numbers, READ_SCHEMES["hd-glio"])
    assert numbers in viewer.layers and role_of(numbers).case.scheme_hint is None


def drawn_in_slicer(path, names):
    """The classes as 3D Slicer saves them: necrosis 3, edema 2, enhancing tumour 1."""
    stored = np.array([0, 3, 2, 1], np.uint8)[classes()]
    write_segments(path, stored, synthetic_case().grid, names)
    return path


def test_segments_that_name_their_classes_are_shown_as_these(tmp_path):
    names = [("Enhancing Tumor", 1), ("Edema", 2), ("Necrosis", 3)]
    data, attributes, _ = read_single_file(drawn_in_slicer(tmp_path / "P-seg.seg.nrrd", names))
    role = source_role_of(attributes["metadata"])
    assert (role.kind, role.scheme) == (LayerKind.TISSUE_CLASSES, "brats2018")
    shown = SCHEMES["brats2018"].decode(from_display(np.asarray(data), role.case.grid))
    assert np.array_equal(shown, classes())


def test_a_contradicting_name_is_told_and_the_numbers_are_shown(tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(notify, "warn", warned.append)
    write_case(tmp_path, modalities="t2f t1c t1n t2w", name="P")
    names = [("Enhancing Tumor", 1), ("Segment_2", 2), ("Segment_3", 3)]
    path = drawn_in_slicer(tmp_path / "P-seg.nrrd", names)
    _, attributes, _ = read_single_file(path)
    assert source_role_of(attributes["metadata"]).kind is LayerKind.LABELS
    assert warned[0].startswith(
        'P-seg.nrrd: the segment "Enhancing Tumor" has the value 1, which is necrosis'
    )


def test_layers_of_a_slicer_file_are_opened_as_classes(tmp_path):
    masks = [region_mask(classes(), region) for region in (Region.WT, Region.TC, Region.ET)]
    path, names = tmp_path / "P.seg.nrrd", [("WT", 1), ("TC", 1), ("ET", 1)]
    stored = np.stack(masks, axis=-1).astype(np.uint8)
    write_segments(path, stored, synthetic_case().grid, names, layers=range(3))
    (layer,) = get_reader(str(path))(str(path))
    role = source_role_of(layer[1]["metadata"])
    shown = SCHEMES[role.scheme].decode(from_display(np.asarray(layer[0]), role.case.grid))
    assert np.array_equal(shown, classes())


def test_a_one_alone_beside_the_images_is_told_and_shown_as_a_number(tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(notify, "warn", warned.append)
    write_case(tmp_path, name="P")
    image = nib.load(tmp_path / "P_t1ce.nii.gz")
    mask = (np.asarray(image.dataobj) > 400).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, image.affine), tmp_path / "P_seg.nii.gz")
    layers = get_reader(str(tmp_path))(str(tmp_path))
    kinds = [source_role_of(layer[1]["metadata"]).kind for layer in layers]
    assert LayerKind.LABELS in kinds and LayerKind.TISSUE_CLASSES not in kinds
    assert len(warned) == 1 and warned[0].startswith("P_seg.nii.gz: label value 1 alone")
    assert "end its name in _et, _tc or _wt" in warned[0]
