"""The training request that the *Train* page gives, and the run folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smalltumor.data.made_by import MadeBy
from smalltumor.errors import Action, OutputError, TrainingError
from smalltumor.models.checkpoint import starter_weights
from smalltumor.training.request import TrainingRequest

from napari_smalltumor.finetune.next_run.new_run import create_run_folder, new_request
from napari_smalltumor.finetune.next_run.starting_weights import RANDOM
from napari_smalltumor.finetune.next_run.train_page import TrainPage
from napari_smalltumor.finetune.runs_folder import last_run


@pytest.fixture
def page(qtbot) -> TrainPage:
    page = TrainPage()
    qtbot.addWidget(page)
    page.epochs.value, page.crop.value, page.batch_size.value = 50, 64, 2
    page.device.value = "auto"
    return page


def test_a_request_has_the_settings_of_the_page(page, tmp_path):
    request = new_request(tmp_path, page)
    assert request == TrainingRequest(
        data=tmp_path,
        run=request.run,
        preset="finetune",
        changes={
            "epochs": 50,
            "crop": 64,
            "batch_size": 2,
            "validation_interval": 5,
            "starting_weights_share": 0.75,
            "validation_stride": 5,
        },
        weights=starter_weights(),
        cache=tmp_path / "runs" / "cache",
    )
    assert request.run.parent == tmp_path / "runs"


def test_a_validation_case_takes_the_place_of_a_share(page, tmp_path):
    page.choose_weights("w.safetensors")
    page.choose_validation(str(tmp_path / "one"))
    page.epochs.value = 3
    request = new_request(tmp_path, page)
    assert request.validation_folder == tmp_path / "one"
    assert request.weights == Path("w.safetensors")
    assert "validation_stride" not in request.changes
    assert request.changes["validation_interval"] == 1


def test_a_share_validates_on_masks_that_people_drew(page, tmp_path):
    folders = {name: str(tmp_path / name) for name in ("P1", "P2", "P3")}
    page.set_cases(folders, {"P1": MadeBy("SEMIAUTOMATIC"), "P3": MadeBy("MANUAL")})
    request = new_request(tmp_path, page)
    assert request.validation_cases == ("P2",)
    assert "validation_stride" not in request.changes
    page.set_cases(folders, {"P2": MadeBy("SEMIAUTOMATIC")})
    request = new_request(tmp_path, page)
    assert (request.validation_cases, request.changes["validation_stride"]) == ((), 5)


def test_a_share_of_random_weights_is_not_kept(page, tmp_path):
    page.preset.value = "starter"
    assert "starting_weights_share" not in new_request(tmp_path, page).changes
    assert not page.starting_weights_share.enabled
    page.choose_weights("w.safetensors")
    assert page.starting_weights_share.enabled
    page.starting_weights_share.value = 50
    assert new_request(tmp_path, page).changes["starting_weights_share"] == 0.5


def test_a_run_without_validation_cases_has_neither_a_share_nor_a_folder(page, tmp_path):
    page.validation.value = ""
    request = new_request(tmp_path, page)
    assert request.validation_folder is None
    assert "validation_stride" not in request.changes


def test_only_fine_tuning_needs_weights_to_start_from(page, tmp_path):
    page.preset.value = "starter"
    assert page.weights.value == RANDOM
    assert new_request(tmp_path, page).weights is None
    page.preset.value = "finetune"
    page.weights.choices = [("random", RANDOM)]
    page.weights.value = RANDOM
    with pytest.raises(TrainingError, match="starts from weights") as caught:
        new_request(tmp_path, page)
    assert caught.value.remedy.action is Action.CHOOSE_WEIGHTS


def test_two_requests_in_the_same_minute_get_different_run_folders(page, tmp_path):
    runs = [new_request(tmp_path, page).run for _ in range(3)]
    assert len(set(runs)) == 3
    assert all(run.is_dir() for run in runs)


def test_a_run_folder_that_cannot_be_created_is_an_error(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError, match="runs"):
        create_run_folder(tmp_path)


def test_the_last_run_is_the_one_with_the_newest_weights(tmp_path):
    assert last_run(tmp_path) is None
    for name in ("b", "a"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "best.safetensors").write_bytes(b"")
    os.utime(tmp_path / "runs" / "b" / "best.safetensors", (1, 1))
    assert last_run(tmp_path) == tmp_path / "runs" / "a"
