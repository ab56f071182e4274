"""One training request: from the command line, through a file, into a run folder and back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from smalltumor.cli import build_parser, main
from smalltumor.errors import TrainingError
from smalltumor.training.config import TrainingConfig
from smalltumor.training.execution import train as training_run
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.split import Split

FULL = TrainingRequest(
    data=Path("/data"),
    run=Path("/run"),
    preset="starter",
    changes={"epochs": 3, "learning_rate": 0.5, "reconstruction": False},
    weights=Path("/weights"),
    validation_folder=Path("/validation"),
    cache=Path("/cache"),
    card=Path("/card"),
    device="cuda:1",
    resume=True,
)


@pytest.mark.parametrize(
    "request_",
    [
        FULL,
        replace(FULL, validation_cases=("a", "b"), patients={"a": "p", "b": "p"}),
        TrainingRequest(Path("/data"), Path("/run")),
    ],
)
def test_a_request_comes_back_from_its_file(tmp_path, request_):
    request_.write(tmp_path / "request.json")
    assert TrainingRequest.read(tmp_path / "request.json") == request_


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"data": 3, "run": "r"}', "\0"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "request.json").write_text(content)
    with pytest.raises(TrainingError, match=r"request\.json is not a training request"):
        TrainingRequest.read(tmp_path / "request.json")
    assert main(["train-request", str(tmp_path / "request.json")]) == 1


def test_relative_paths_mean_the_same_to_a_process_in_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TrainingRequest(Path("data"), Path("run"), cache=Path("c")).write(tmp_path / "request.json")
    monkeypatch.chdir("/")
    found = TrainingRequest.read(tmp_path / "request.json")
    assert (found.data, found.run, found.cache) == tuple(tmp_path / n for n in ("data", "run", "c"))


def test_every_option_of_the_command_line_reaches_the_request(monkeypatch):
    received: list[TrainingRequest] = []
    monkeypatch.setattr(training_run, "train", lambda request, **options: received.append(request))
    words = (
        "train /data --run /run --preset starter --epochs 3 --learning-rate 0.5 "
        "--no-reconstruction --weights /weights --validation /validation --cache /cache "
        "--card /card --device cuda:1 --resume"
    )
    assert main(words.split()) == 0
    assert main(["train", "/data", "--run", "/run"]) == 0
    assert received == [FULL, TrainingRequest(Path("/data"), Path("/run"))]


def test_a_table_of_patients_reaches_the_request(tmp_path, monkeypatch, capsys):
    received: list[TrainingRequest] = []
    monkeypatch.setattr(training_run, "train", lambda request, **options: received.append(request))
    table = tmp_path / "patients.csv"
    table.write_text("case,patient\na,p\nb,p\n")
    assert main(["train", "/data", "--run", "/run", "--patients", str(table)]) == 0
    assert received[0].patients == {"a": "p", "b": "p"}
    table.write_text("case,patient\na,p\na,q\n")
    assert main(["train", "/data", "--run", "/run", "--patients", str(table)]) == 1
    assert "a is listed with two patients" in capsys.readouterr().err


def test_every_setting_of_the_command_line_is_a_field_of_the_configuration():
    words = (
        "train d --epochs 1 --crop 32 --batch-size 1 --learning-rate 1 --seed 1 "
        "--validation-interval 1 --folds 2 --no-reconstruction --freeze-encoder --freeze-norms 0.5 "
        "--patience 1 --fold 1"
    )
    changes = build_parser().parse_args(words.split()).changes
    assert len(changes) == 12
    TrainingConfig().with_changes(changes)


def test_the_record_of_a_run_comes_back(tmp_path):
    run = RunFolder(tmp_path / "run")
    request = TrainingRequest(tmp_path / "data", run.path, "starter", device="cpu")
    split = Split(("b", "c"), ("a",), ("b", "c"))
    record = RunRecord(
        request, TrainingConfig(epochs=3), split, {"started_from": "x"}, 7, {"b": "aa"}
    )
    record.write(run)
    assert RunRecord.read(run) == record
    kept = json.loads(run.config.read_text())
    assert kept["training"].keys() == {field.name for field in fields(TrainingConfig)}
    assert kept.keys() == {
        *("data", "validation_folder", "cache", "card", "preset", "weights", "device"),
        *("origin", "split", "steps_per_epoch", "t1ce_digests", "training"),
    }


@pytest.mark.parametrize("damage", [{"training": 3}, {"steps_per_epoch": "x"}, {"split": {}}])
def test_a_damaged_record_is_named(tmp_path, damage):
    run = RunFolder(tmp_path / "run")
    split = {"training": ["b"], "validation": [], "trained_on": ["b"]}
    whole = {"data": "d", "training": TrainingConfig().to_dict(), "split": split}
    whole |= {"origin": {}, "steps_per_epoch": 7}
    run.write_config(whole)
    RunRecord.read(run)
    run.write_config(whole | damage)
    with pytest.raises(TrainingError, match=r"config\.json is damaged"):
        RunRecord.read(run)
