"""The pages of the Fine-tune dock on their own: what they show and what they emit."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QFileDialog
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.status import RunStatus, State
from synthetic import write_weights

from napari_smalltumor import notify
from napari_smalltumor.finetune.expected_length import UNKNOWN, MeasuredSpeed
from napari_smalltumor.finetune.monitor_page import MonitorPage
from napari_smalltumor.finetune.result_page import ResultPage
from napari_smalltumor.finetune.run_bar import RunBar
from napari_smalltumor.finetune.train_page import RANDOM, TrainPage

GB = 10**9


@pytest.fixture
def train(qtbot):
    page = TrainPage()
    qtbot.addWidget(page)
    return page


def score(epoch: int, value: float) -> dict:
    by_case = [{"case": "a", "et": value, "tc": value, "wt": value}]
    return {"epoch": epoch, "score": value, "by_case": by_case}


def test_fine_tuning_starts_from_the_shipped_weights_and_other_presets_from_random_ones(train):
    assert train.weights.value == ""
    train.preset.value = "starter"
    assert train.weights.value == RANDOM
    assert train.epochs.value == 60
    train.preset.value = "finetune"
    assert train.weights.value == ""


def test_a_selected_weights_file_stays_selected_when_another_run_is_shown(
    train, tmp_path, monkeypatch
):
    path = str(write_weights(tmp_path / "mine.safetensors"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (path, ""))
    train.weights.value = "file..."
    assert train.weights.value == path
    train.set_run_weights(tmp_path / "2026-01-01_1200" / "best.safetensors")
    assert train.weights.value == path
    train.set_run_weights(None)
    assert train.weights.value == path
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    train.weights.value = "file..."
    assert train.weights.value == path


def test_a_file_that_holds_no_weights_is_refused_at_once(train, tmp_path, monkeypatch):
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(b"no weights")
    errors: list[str] = []
    monkeypatch.setattr(notify, "error", errors.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    train.weights.value = "file..."
    assert train.weights.value == ""
    assert "wrong.safetensors" in errors[0]


def test_start_is_disabled_and_says_why(qtbot):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.set_startable("Choose a folder of training cases first")
    bar.show_status(RunStatus())
    assert not bar.start.isEnabled()
    assert bar.start.toolTip() == "Choose a folder of training cases first"
    assert bar.text == "Choose a folder of training cases first."
    bar.set_startable("")
    assert bar.start.isEnabled() and bar.text == "No run"
    bar.show_status(RunStatus(State.RUNNING))
    bar.set_startable("")
    assert not bar.start.isEnabled()


def test_a_single_case_can_only_be_trained_on_if_it_is_not_left_out(train):
    train.set_cases({"one": "/data/one"})
    assert train.problem.startswith("The only case is left out for validation")
    train.validation.value = "/data/one"
    assert train.problem.startswith("The only case is left out for validation")
    train.validation.value = ""
    assert train.problem == ""


def test_all_scans_of_a_patient_are_on_one_side(train):
    train.set_speed(MeasuredSpeed(1e6, "cpu"))
    train.set_cases({name: f"/data/{name}" for name in ("P1_visit1", "P1_visit2")})
    said = "All 2 cases are scans of the patient who is left out for validation"
    assert train.problem.startswith(said)
    assert train.expected_length == UNKNOWN
    train.validation.value = "/data/P1_visit1"
    assert train.problem.startswith(said)
    cases = ("P1_visit1", "P1_visit2", "P1_visit3", "P2", "P3")
    train.set_cases({name: f"/data/{name}" for name in cases[:4]} | {"P3": ""})
    assert train.problem == "" and "for 2 training cases" in train.expected_length
    train.validation.value = "5"
    assert train.problem == "" and "for 2 training cases" in train.expected_length
    train.validation.value = ""
    assert "for 5 training cases" in train.expected_length
    titles = [train.validation.native.itemText(n) for n in range(train.validation.native.count())]
    assert "P2" in titles and "P3" not in titles


def test_validation_cases_are_a_share_one_case_a_folder_or_none(train, tmp_path, monkeypatch):
    assert (train.validation_every, train.validation_folder) == (5, None)
    train.set_cases({"one": "/data/one"})
    train.validation.value = "/data/one"
    assert (train.validation_every, train.validation_folder) == (0, Path("/data/one"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    train.validation.value = "file..."
    assert train.validation_folder == tmp_path
    train.set_cases({"one": "/data/one", "two": "/data/two"})
    assert train.validation_folder == tmp_path
    train.validation.value = ""
    assert (train.validation_every, train.validation_folder) == (0, None)


def test_crop_and_batch_fit_the_memory_of_the_device(train):
    train.set_devices([("auto", "auto"), ("GPU", "cuda:0"), ("CPU", "cpu")])
    train.set_memory({"auto": 80 * GB, "cuda:0": 80 * GB, "cpu": 16 * GB})
    assert (train.crop.value, train.batch.value) == (128, 8)
    train.device.value = "cpu"
    assert (train.crop.value, train.batch.value) == (64, 2)
    assert "too much" not in train._memory_text.text()
    train.crop.value = 160
    assert "too much" in train._memory_text.text()


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        (State.NONE, {"start"}),
        (State.STARTING, {"pause", "stop", "log"}),
        (State.RUNNING, {"pause", "stop", "log"}),
        (State.PAUSED, {"start", "resume", "log"}),
        (State.STOPPED, {"start", "resume", "log"}),
        (State.FAILED, {"start", "resume", "log"}),
        (State.DONE, {"start", "log"}),
    ],
)
def test_only_buttons_that_apply_to_the_state_are_enabled(qtbot, state, enabled):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.show_status(RunStatus(state))
    names = ("start", "pause", "resume", "stop", "log")
    assert {name for name in names if getattr(bar, name).isEnabled()} == enabled
    bar.show_status(RunStatus(state), busy="Stopping ...")
    assert not any(getattr(bar, name).isEnabled() for name in names[:4])
    assert bar.text == "Stopping ..."


def test_curves_show_each_epoch_and_small_lesions(qtbot):
    page = MonitorPage()
    qtbot.addWidget(page)
    page.show_status(
        RunStatus(
            State.RUNNING,
            validation=("a", "b"),
            losses={"segmentation": ([1.0, 2.0], [0.5, 0.4])},
            scores={"small_lesions": ([0.0, 2.0], [0.1, 0.3]), "et": ([], [])},
        )
    )
    assert page.curves.points("segmentation") == 2
    assert page.curves.points("small_lesions") == 2
    assert page.curves.points("et") == 0
    assert page.predict.isEnabled()
    page.set_predicting(True)
    page.show_status(RunStatus(State.RUNNING, validation=("a", "b")))
    assert not page.predict.isEnabled()


def test_the_verdict_says_whether_the_new_weights_are_better(qtbot):
    page = ResultPage()
    qtbot.addWidget(page)
    assert not page.use.isEnabled()
    better = RunStatus(State.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.6)))
    page.show_status(better, has_weights=True)
    assert page.verdict.startswith("Improved") and "this may be chance" in page.verdict
    assert page.table.item(0, 1).text() == "0.50→0.60"
    worse = RunStatus(State.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.4)))
    page.show_status(worse, has_weights=True)
    assert page.verdict.startswith("Not improved") and not page.use.isEnabled()
    same = RunStatus(State.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.5)))
    page.show_status(same, has_weights=True)
    assert "The best weights of this run are the starting weights." in page.verdict
    assert not page.use.isEnabled()
    page.show_status(RunStatus(State.DONE, training=("a",)), has_weights=True)
    assert "no validation cases" in page.verdict
    assert page.table.rowCount() == 0
