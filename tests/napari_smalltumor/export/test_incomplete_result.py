"""No file is written of a result of which some regions are not yet in the viewer."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import case_along
from shown_layers import open_segmented, show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import OutputError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.calling_viewer import called_by
from napari_smalltumor.closing.unsaved_work import can_be_saved
from napari_smalltumor.export.case_export import case_to_export, export_bids, export_case
from napari_smalltumor.export.save import save
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.writer import write_labels
from napari_smalltumor.finetune.cases.training_masks import mask_to_add
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.masks.regions import segmentation_steps
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.report.command import ask_and_report
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture
def case(viewer):
    case = case_along()
    set_up(viewer)
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    return case


def steps(viewer, case):
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    segmentation = Segmentation(case.name, classes, case.grid)
    masks = {region: display_mask(segmentation.mask(region), case) for region in Region}
    return segmentation_steps(viewer, case, segmentation, masks)


@pytest.mark.parametrize("removed", [list(Region), [Region.TC], [Region.WT, Region.ET]])
def test_regions_can_be_saved_once_all_of_them_are_there(viewer, case, removed):
    regions = show_segmentation(viewer, case, Segmentation("Pat", *empty(case)))
    for region in removed:
        viewer.layers.remove(regions[region])
    patient = active_patient(viewer).current
    seen = []
    for _ in steps(viewer, case):
        is_complete = set(region_layers(viewer.layers, case)) == set(Region)
        assert (case_to_export(viewer) is case) is is_complete
        assert save_state(viewer).has_masks is is_complete
        assert can_be_saved(viewer, patient) is is_complete
        seen.append(is_complete)
    assert set(seen) == {False, True}


def empty(case):
    return np.zeros(case.grid.shape, np.uint8), case.grid


def test_what_is_told_of_the_last_region_sees_the_case(viewer, case):
    seen = []
    viewer.layers.events.inserted.connect(lambda event: seen.append(case_to_export(viewer)))
    for _ in steps(viewer, case):
        pass
    assert [found is case for found in seen] == [False, False, True]


def test_saving_and_reporting_say_that_regions_are_being_added(viewer, case, monkeypatch):
    messages: list[str] = []
    monkeypatch.setattr(notify, "error", messages.append)
    shown = steps(viewer, case)
    for _ in range(2):
        next(shown)
    assert [x.name for x in viewer.layers if x.name.endswith("ET")] == ["Pat ET"]
    assert save(viewer, None) == []
    ask_and_report(viewer, None)
    text = "ET, TC and WT of Pat are still being added; try again in a moment."
    assert messages == [text, text]


def test_nothing_is_written_of_a_region_before_the_others_are_there(viewer, case, tmp_path):
    shown = steps(viewer, case)
    for _ in range(2):
        next(shown)
    path = tmp_path / "mask.nii.gz"
    with pytest.raises(OutputError, match="still being added"):
        export_case(viewer, case, path, scheme="brats2018")
    with pytest.raises(OutputError, match="still being added"):
        export_bids(viewer, case, tmp_path / "bids", scheme="brats2018")
    with pytest.raises(OutputError, match="still being added"):
        mask_to_add(viewer, case)
    data, attributes, _ = viewer.layers["Pat ET"].as_layer_data_tuple()
    with called_by(viewer), pytest.raises(OutputError, match="still being added"):
        write_labels(str(path), data, attributes)
    assert list(tmp_path.iterdir()) == []
    for _ in shown:
        pass
    assert export_case(viewer, case, path, scheme="brats2018") == [path]


def test_regions_of_a_result_that_was_abandoned_are_as_any_others(viewer, case):
    shown = steps(viewer, case)
    for _ in range(2):
        next(shown)
    assert case_to_export(viewer) is None
    shown.close()
    assert case_to_export(viewer) is case


def test_another_patient_can_be_saved_meanwhile(viewer, case):
    open_segmented(viewer, "Zoe")
    zoe = active_patient(viewer).current
    shown = steps(viewer, case)
    for _ in range(2):
        next(shown)
    assert case_to_export(viewer, zoe).name == "Zoe"
