"""Predictions of a run that end when something else is shown."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari_cases import case_along, write_case_along
from smalltumor.errors import CaseError
from smalltumor.labels.schemes import SCHEMES
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor import notify
from napari_smalltumor.closing.close_patient import close_active
from napari_smalltumor.finetune.dialogs import Answer
from napari_smalltumor.finetune.run import run_prediction
from napari_smalltumor.finetune.run.prediction import Prediction, prediction_name
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


def prediction_of(name: str) -> Prediction:
    case, scheme = case_along("LPS", name), SCHEMES["brats2023"]
    stored = np.zeros(case.grid.shape, np.uint8)
    layer = labels_layer(case, stored, scheme, prediction_name(name), kind=LayerKind.PREDICTION)
    return Prediction(case, layer, f"{name}: prediction after step 7")


@pytest.fixture
def slow_prediction(monkeypatch):
    """Predictions wait for this event."""
    may_end = threading.Event()

    def predict(run, name, device):
        assert may_end.wait(60)
        return prediction_of(name)

    monkeypatch.setattr(run_prediction, "predict", predict)
    yield may_end
    may_end.set()


def test_a_prediction_that_ends_after_the_dock_was_closed_is_not_shown(
    make_napari_viewer, open_dock, held_run, answers, slow_prediction, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    dock.panel.monitor.predict.click()
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.window.remove_dock_widget(dock)
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [False]
    assert len(viewer.layers) == 0


def test_a_prediction_that_cannot_be_shown_leaves_the_page_usable(
    make_napari_viewer, open_dock, held_run, slow_prediction, monkeypatch, qtbot
):
    def fail(*arguments, **options):
        raise CaseError("the images have changed")

    errors: list[str] = []
    monkeypatch.setattr(notify, "error", errors.append)
    monkeypatch.setattr(run_prediction, "show_prediction", fail)
    dock = open_dock(make_napari_viewer())
    dock.panel.monitor.predict.click()
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [False] and errors and "images have changed" in errors[0]
    assert dock.panel.monitor.predict.isEnabled() and dock.panel.monitor.message == ""


def test_a_prediction_of_another_run_leaves_the_page_as_it_is(
    make_napari_viewer, open_dock, tmp_path, slow_prediction, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    page = dock.panel.monitor
    page.predict.click()
    assert page.message == "Segmenting Pat ..."
    other = RunFolder(tmp_path / "other")
    other.create()
    other.append("start", 0, steps=40, device="cpu", training=["a"], validation=["b"])
    dock.open_run(other.path)
    assert page.predict.isEnabled()
    with qtbot.waitSignal(dock.predicted):
        slow_prediction.set()
    assert page.message == ""


def test_a_prediction_leaves_the_patient_active_who_is_being_corrected(
    make_napari_viewer, open_dock, tmp_path, slow_prediction, messages, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    open_case(viewer, write_case_along(tmp_path / "Other", "RAS", labels=False))
    dock.panel.monitor.predict.click()
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [True] and active_patient(viewer).title == "Other"
    assert not viewer.layers["Pat in training"].visible
    assert messages[-1] == "Pat is predicted. Choose it under Patient to see the prediction."


def test_a_patient_who_was_closed_does_not_come_back_with_its_prediction(
    make_napari_viewer, open_dock, tmp_path, slow_prediction, qtbot
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    dock.panel.monitor.predict.click()
    close_active(viewer)
    with qtbot.waitSignal(dock.predicted) as predicted:
        slow_prediction.set()
    assert predicted.args == [False] and len(viewer.layers) == 0
    assert dock.panel.monitor.message == "Pat was closed, so its prediction is not shown"
