"""Region layers have the place of the images and the paper's colours."""

from dataclasses import replace

import numpy as np
import pytest
from napari_cases import MODALITIES, case_along, random_volume
from shown_layers import newest_case_layers, show_segmentation
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import REGION_COLOURS, Region

from napari_smalltumor.layers.masks.region_masks import (
    display_mask,
    fingerprint,
    segmentation_of,
)
from napari_smalltumor.layers.masks.regions import (
    hide_stored_labels,
    placement_of,
    segmentation_steps,
)
from napari_smalltumor.layers.modalities import case_of_layers
from napari_smalltumor.layers.patient import patient_of


def random_segmentation(case) -> Segmentation:
    classes = np.random.default_rng(2).integers(0, 4, case.grid.shape).astype(np.uint8)
    return Segmentation(case.name, classes, case.grid, run=InferenceRun(1.0, "cpu", "torch", "w"))


def test_et_is_above_tc_above_wt_and_is_active(viewer):
    case = case_along()
    layers = show_segmentation(viewer, case, random_segmentation(case))
    assert [layer.name for layer in viewer.layers] == ["Pat WT", "Pat TC", "Pat ET"]
    assert viewer.layers.selection.active is layers[Region.ET]
    for region, layer in layers.items():
        colours = layer.colormap.color_dict
        assert colours[1] == pytest.approx((*REGION_COLOURS[region], 1.0))
        assert colours[0][3] == 0


def test_a_deleted_region_is_added_again_in_its_place(viewer):
    case = case_along()
    layers = show_segmentation(viewer, case, random_segmentation(case))
    viewer.layers.remove(layers[Region.TC])
    show_segmentation(viewer, case, random_segmentation(case))
    assert [layer.name for layer in viewer.layers] == ["Pat WT", "Pat TC", "Pat ET"]


def test_regions_are_never_those_of_two_results(viewer):
    """Keys between the steps, such as that of *Save*, write what is shown then."""
    case = case_along()
    first = random_segmentation(case)
    show_segmentation(viewer, case, first)
    second = replace(first, classes=np.flip(first.classes, axis=0))
    masks = {region: display_mask(second.mask(region), case) for region in Region}
    for _ in segmentation_steps(viewer, case, second, masks):
        assert np.array_equal(segmentation_of(viewer.layers, case).classes, second.classes)


def test_results_are_aligned_with_another_readers_layers(viewer):
    for number, modality in enumerate(MODALITIES):
        viewer.add_image(
            random_volume(number).transpose(2, 1, 0),
            name=modality,
            scale=(2, 1.5, 1),
            translate=(-7, 3, 5),
            units=("pixel",) * 3,
            axis_labels=("z", "y", "x"),
        )
    chosen = newest_case_layers(viewer.layers)
    case = case_of_layers(chosen)
    placement = placement_of(case, chosen)
    layers = show_segmentation(viewer, case, random_segmentation(case), placement=placement)
    image, mask = chosen["t1ce"], layers[Region.WT]
    assert mask.data.shape == image.data.shape
    # The first axis of those layers points superior, that of the result inferior.
    assert mask.data_to_world((7, 4, 5)) == pytest.approx(image.data_to_world((3, 4, 5)))
    assert np.array_equal(mask.extent.world, image.extent.world)
    assert mask.units == image.units
    assert mask.axis_labels == image.axis_labels


def test_a_shown_segmentation_is_returned_unchanged_with_its_run(viewer):
    case = case_along("ILP")
    shown = random_segmentation(case)
    show_segmentation(viewer, case, shown)
    returned = segmentation_of(viewer.layers, case)
    assert np.array_equal(returned.classes, shown.classes)
    assert returned.run == shown.run


def test_the_fingerprint_changes_with_an_edit_and_back_with_undo(viewer):
    case = case_along()
    layers = show_segmentation(viewer, case, random_segmentation(case))
    before = fingerprint(viewer.layers, case)
    layers[Region.ET].paint((5, 5, 5), 1 - int(layers[Region.ET].data[5, 5, 5]))
    assert fingerprint(viewer.layers, case) != before
    layers[Region.ET].undo()
    assert fingerprint(viewer.layers, case) == before


def test_expert_labels_are_hidden_when_a_result_is_shown(viewer, tmp_path):
    from napari_cases import write_case_along

    from napari_smalltumor.loading.open_case import open_case

    layers = open_case(viewer, write_case_along(tmp_path / "Pat"))
    hide_stored_labels(viewer.layers, patient_of(layers[0]))
    assert [layer.name for layer in viewer.layers if layer.visible] == ["Pat T1CE"]
