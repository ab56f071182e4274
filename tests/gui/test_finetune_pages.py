"""The pages of the Fine-tune dock by themselves: what they show, and what they say was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QFileDialog
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.monitor import RunStatus, State

from napari_smalltumor.finetune.monitor_page import WatchPage
from napari_smalltumor.finetune.plan import RANDOM
from napari_smalltumor.finetune.result_page import UsePage
from napari_smalltumor.finetune.run_bar import RunBar
from napari_smalltumor.finetune.train_page import TrainPage

GB = 10**9


@pytest.fixture
def train(qtbot):
    page = TrainPage()
    qtbot.addWidget(page)
    return page


def score(epoch: int, value: float) -> dict:
    by_case = [{"case": "a", "et": value, "tc": value, "wt": value}]
    return {"epoch": epoch, "score": value, "by_case": by_case}


def test_fine_tuning_starts_from_the_shipped_weights_and_the_others_from_zero(train):
    assert train.choices.weights == ""
    train.preset.value = "starter"
    assert train.choices.weights == RANDOM
    assert train.choices.epochs == 60
    train.preset.value = "finetune"
    assert train.choices.weights == ""


def test_a_file_chosen_stays_chosen_while_runs_come_and_go(train, tmp_path, monkeypatch):
    path = str(tmp_path / "mine.safetensors")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (path, ""))
    train.start.value = "file..."
    assert train.choices.weights == path
    train.offer_run(tmp_path / "2026-01-01_1200" / "best.safetensors")
    assert train.choices.weights == path
    train.offer_run(None)
    assert train.choices.weights == path
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    train.start.value = "file..."
    assert train.choices.weights == path


def test_what_is_held_out_is_a_share_a_case_or_a_folder(train, tmp_path, monkeypatch):
    assert (train.choices.folds, train.choices.validation) == (5, None)
    train.offer_cases({"one": "/data/one"})
    train.held.value = "/data/one"
    assert (train.choices.folds, train.choices.validation) == (0, Path("/data/one"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    train.held.value = "file..."
    assert train.choices.validation == tmp_path
    train.offer_cases({"one": "/data/one", "two": "/data/two"})
    assert train.choices.validation == tmp_path
    train.held.value = ""
    assert (train.choices.folds, train.choices.validation) == (0, None)


def test_crop_and_batch_follow_the_memory_of_the_device(train):
    train.set_devices([("auto", "auto"), ("GPU", "cuda:0"), ("CPU", "cpu")])
    train.offer_memory({"auto": 80 * GB, "cuda:0": 80 * GB, "cpu": 16 * GB})
    assert (train.choices.crop, train.choices.batch) == (128, 8)
    train.device.value = "cpu"
    assert (train.choices.crop, train.choices.batch) == (64, 2)
    assert "too much" not in train._memory_line.text()
    train.crop.value = 160
    assert "too much" in train._memory_line.text()


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
def test_only_what_can_be_done_can_be_clicked(qtbot, state, enabled):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.show_status(RunStatus(state))
    names = ("start", "pause", "resume", "stop", "log")
    assert {name for name in names if getattr(bar, name).isEnabled()} == enabled
    bar.show_status(RunStatus(state), busy="stopping ...")
    assert not any(getattr(bar, name).isEnabled() for name in names[:4])
    assert bar.text == "stopping ..."


def test_curves_grow_with_the_run_and_small_lesions_are_among_them(qtbot):
    page = WatchPage()
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


def test_the_verdict_is_said_whichever_way_it_went(qtbot):
    page = UsePage()
    qtbot.addWidget(page)
    assert not page.use.isEnabled()
    better = RunStatus(State.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.6)))
    page.show_status(better, has_weights=True)
    assert page.verdict.startswith("Worth it") and "So few cases can mislead" in page.verdict
    assert page.table.item(0, 1).text() == "0.50→0.60"
    worse = RunStatus(State.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.4)))
    page.show_status(worse, has_weights=True)
    assert page.verdict.startswith("Not worth it")
    page.show_status(RunStatus(State.DONE, training=("a",)), has_weights=True)
    assert "nobody can say" in page.verdict
    assert page.table.rowCount() == 0
