"""The reference belongs to its patient, and never counts as the patient's regions."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from lesion_layers import classes, show_regions, synthetic_case
from napari.layers import Layer
from smalltumor.data.case import Case
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.masks import masks_among
from napari_smalltumor.compare.choices import (
    ReferenceChoice,
    case_to_compare,
    current_choice,
    reference_choices,
)
from napari_smalltumor.compare.shown_reference import remove_reference, show_reference
from napari_smalltumor.display.reference_visibility import toggle_reference
from napari_smalltumor.export.case_export import case_to_export, export_case
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import patient_of_case
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources
from napari_smalltumor.patients.active_patient import active_patient

CHOICE = ReferenceChoice("expert.nii.gz")


def masks(case: Case, shift: int = 0) -> dict[Region, np.ndarray]:
    moved = np.roll(classes(), shift, axis=0)
    return {region: display_mask(region_mask(moved, region), case) for region in Region}


def open_images(viewer, case) -> None:
    for data in image_layers(case):
        viewer.add_layer(Layer.create(*data))


@pytest.fixture
def case(viewer) -> Case:
    case = synthetic_case()
    open_images(viewer, case)
    return case


def names(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_contours_lie_between_the_images_and_the_regions_and_the_brush_stays(viewer, case):
    show_regions(viewer, case)
    viewer.layers.selection.active = viewer.layers["Pat ET"]
    show_reference(viewer, case, masks(case), CHOICE)
    references = ["Pat reference WT", "Pat reference TC", "Pat reference ET"]
    assert names(viewer) == ["Pat T1CE", *references, "Pat WT", "Pat TC", "Pat ET"]
    assert viewer.layers.selection.active.name == "Pat ET"
    for layer in reference_layers(viewer.layers).values():
        assert layer.contour > viewer.layers["Pat ET"].contour
        layer.mode = "paint"
        assert layer.mode != "paint"


@pytest.mark.parametrize("replaced", [True, False])
def test_et_is_selected_in_place_of_contours_that_go_so_that_the_brush_stays(
    viewer, case, replaced
):
    show_regions(viewer, case)
    show_reference(viewer, case, masks(case), CHOICE)
    viewer.layers.selection.active = viewer.layers["Pat reference ET"]
    if replaced:
        show_reference(viewer, case, masks(case, 1), CHOICE)
    else:
        remove_reference(viewer)
    assert viewer.layers.selection.active is viewer.layers["Pat ET"]


def test_another_reference_replaces_the_first_and_none_removes_it(viewer, case):
    show_reference(viewer, case, masks(case), CHOICE)
    show_reference(viewer, case, {Region.ET: masks(case, 1)[Region.ET]}, ReferenceChoice("other"))
    assert set(reference_layers(viewer.layers)) == {Region.ET}
    assert current_choice(viewer).title == "other"
    remove_reference(viewer)
    assert names(viewer) == ["Pat T1CE"]
    assert current_choice(viewer) is None


def test_a_reference_alone_is_nothing_to_export_to_list_to_autosave_or_to_compare_with(
    viewer, case
):
    show_reference(viewer, case, masks(case), CHOICE)
    assert case_to_export(viewer) is None
    assert case_to_compare(viewer) is case
    assert region_layers(viewer.layers, case) == {}
    assert lesion_sources(viewer.layers) == []
    assert list(masks_among(viewer.layers)) == []
    assert reference_choices(viewer) == []


def test_an_export_holds_the_regions_and_not_the_reference(viewer, case, tmp_path):
    show_regions(viewer, case)
    show_reference(viewer, case, masks(case, 3), CHOICE)
    (path,) = export_case(viewer, case, tmp_path / "m.nii", scheme="brats2023")
    assert np.array_equal(np.asarray(nib.load(path).dataobj), classes())


def test_the_reference_is_hidden_with_its_patient_and_returns_with_it(viewer, case):
    show_reference(viewer, case, masks(case), CHOICE)
    other = synthetic_case()
    other.name = "Other"
    open_images(viewer, other)
    patients = active_patient(viewer)
    layers = list(reference_layers(viewer.layers).values())
    assert patients.current == patient_of_case(other)
    assert not any(layer.visible for layer in layers)
    assert current_choice(viewer) is None
    toggle_reference(viewer)
    assert patients.current == patient_of_case(other)
    assert not any(layer.visible for layer in layers)
    patients.activate(patient_of_case(case))
    assert all(layer.visible for layer in layers)
    toggle_reference(viewer)
    assert not any(layer.visible for layer in layers)
    toggle_reference(viewer)
    assert all(layer.visible for layer in layers)


def test_a_reference_that_was_read_late_joins_its_hidden_patient(viewer, case):
    other = synthetic_case()
    other.name = "Other"
    open_images(viewer, other)
    show_reference(viewer, case, masks(case), CHOICE)
    assert active_patient(viewer).current == patient_of_case(other)
    assert not any(layer.visible for layer in reference_layers(viewer.layers).values())
