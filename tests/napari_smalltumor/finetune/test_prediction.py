"""A prediction is shown on the images of its own patient."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from napari_cases import case_along, write_case_along
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.finetune.run.prediction import (
    Prediction,
    predict,
    prediction_name,
    show_prediction,
)
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


def prediction_of(case: Case) -> Prediction:
    scheme = SCHEMES["brats2023"]
    classes = np.ones(case.grid.shape, np.uint8)
    name = prediction_name(case.name)
    return Prediction(
        case, labels_layer(case, classes, scheme, name, kind=LayerKind.PREDICTION), "step 1"
    )


def test_a_case_whose_folder_cannot_be_read_is_not_said_to_be_gone(tmp_path):
    config = {"data": str(tmp_path / "none"), "validation_folder": None}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CaseError, match=r"P1 was not found: .*none is not a folder"):
        predict(tmp_path, "P1", "cpu")


def test_the_prediction_of_a_copy_belongs_to_the_patient_with_the_same_images(viewer, tmp_path):
    images = open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    layer = show_prediction(viewer, prediction_of(case_along(name="Pat")))
    assert patient_of(layer) == patient_of(images[0])
    assert len(viewer.layers) == 5
    again = show_prediction(viewer, prediction_of(case_along(name="Pat")))
    assert again is layer


def test_a_patient_of_the_same_name_with_other_images_is_opened_as_another(viewer, tmp_path):
    images = open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    case = case_along(name="Pat")
    other = replace(case, volumes={m: volume + 1 for m, volume in case.volumes.items()})
    layer = show_prediction(viewer, prediction_of(other))
    assert patient_of(layer) != patient_of(images[0])
    assert active_patient(viewer).current == patient_of(layer)
    assert len(viewer.layers) == 9


def test_a_prediction_in_the_background_leaves_the_active_patient(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    open_case(viewer, write_case_along(tmp_path / "Other", "RAS", labels=False))
    layer = show_prediction(viewer, prediction_of(case_along(name="Pat")), background=True)
    assert active_patient(viewer).title == "Other"
    assert not layer.visible
    show_prediction(viewer, prediction_of(case_along(name="Pat")))
    assert active_patient(viewer).title == "Pat"
    assert layer.visible


def test_a_later_prediction_of_a_case_replaces_the_first_one(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    layer = show_prediction(viewer, prediction_of(read_case(folder)))
    assert len(viewer.layers) == 5 and not layer.editable
    assert show_prediction(viewer, prediction_of(read_case(folder))) is layer
    # Strokes would be lost with the next prediction.
    assert len(viewer.layers) == 5 and not layer.editable
