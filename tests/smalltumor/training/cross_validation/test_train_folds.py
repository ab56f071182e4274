"""All folds by one command: interrupted and resumed it ends with the same split and table."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from smalltumor.cli import main
from smalltumor.data.masks.label_files import read_labels
from smalltumor.errors import Action, Remedy, TrainingError, TrainingMemoryError
from smalltumor.evaluation.summaries.case_rows import read_rows
from smalltumor.models.checkpoint import load_checkpoint, save_checkpoint
from smalltumor.training.cross_validation import scoring
from smalltumor.training.cross_validation import train_folds as module
from smalltumor.training.cross_validation.record import CrossValidation
from smalltumor.training.cross_validation.results import ScoringSettings
from smalltumor.training.cross_validation.train_folds import score_folds, train_folds
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.pack_writer import PackWriter
from smalltumor.training.execution import train as training_run
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.execution.train import train
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs import run_lock
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock
from smalltumor.training.splits.folds import Folds
from training_cases import QUICK, write_lesion_cases
from training_runs import assert_same_state, events, request_for, silent

pytestmark = pytest.mark.usefixtures("quick")

CPU = ScoringSettings(device="cpu")
ONE_EPOCH = {"epochs": 1, "validation_interval": 1}


@pytest.fixture(autouse=True)
def segmented(monkeypatch) -> list[str]:
    """Segmentation takes no time: the expert's mask, moved by a voxel. Names of its cases."""
    names: list[str] = []

    def moved_truth(case, checkpoint, **options):
        names.append(case.name)
        return SimpleNamespace(classes=np.roll(read_labels(case)[0], 1, axis=0), run=None)

    monkeypatch.setattr(scoring, "segment", moved_truth)
    return names


def request(data: Path, run: Path, **changed):
    return request_for(data, run, **({"validation_folder": None, "changes": ONE_EPOCH} | changed))


def validation_cases(run: Path) -> list[list[str]]:
    return json.loads((run / "folds.json").read_text())["folds"]


@pytest.fixture
def started(data, tmp_path, monkeypatch) -> Path:
    """A cross-validation of two folds that has a split and is not trained."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "train", lambda *args, **options: False)
        assert not train_folds(request(data, tmp_path / "runs"), 2, silent)
    return tmp_path / "runs"


def mark_done(run: Path) -> None:
    """Let a fold look finished."""
    RunFolder(run).create()
    RunFolder(run).append("done", 1)


def test_each_case_is_scored_by_the_network_that_was_not_trained_on_it(data, tmp_path):
    lines: list[str] = []
    assert train_folds(request(data, tmp_path / "runs"), 2, lines.append)
    results = score_folds(tmp_path / "runs", CPU)
    assert [row.case for row in read_rows(tmp_path / "runs" / "out_of_fold.csv")] == [
        *("case_00", "case_01", "case_02", "case_03")
    ]
    assert "fold-1: 2 validation cases" in lines
    for number, names in enumerate(validation_cases(tmp_path / "runs")):
        fold = RunFolder(tmp_path / "runs" / f"fold-{number}")
        final = load_checkpoint(fold.final)
        assert set(final.card["trained_on"]).isdisjoint(names)
        weights = {row.case: row.weights for row in results.rows}
        assert {weights[name] for name in names} == {scoring.weights_key(final)}
        assert [s["case"] for s in events(fold.path, "validation")[0]["by_case"]] == names


def test_out_of_memory_it_does_not_advise_to_resume_with_another_recipe(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr(Learner, "step", lambda *args: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(TrainingMemoryError) as raised:
        train_folds(request(data, tmp_path / "run"), 2, silent)
    assert raised.value.remedy == Remedy(Action.START_AGAIN, settings={"batch_size": 1})


@pytest.mark.slow
def test_interrupted_at_any_moment_it_ends_with_the_same_split_and_table(
    data, tmp_path, monkeypatch, segmented
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train_folds(request(data, whole), 2, silent)
    expected = score_folds(whole, CPU)
    segmented.clear()
    step, segment = Learner.step, scoring.segment
    calls = iter(range(1000))

    def interrupted(function, when):
        def call(*args, **options):
            if next(calls) == when:
                raise KeyboardInterrupt
            return function(*args, **options)

        return call

    for when in (1, 2):  # in the second step of each fold
        calls = iter(range(1000))
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Learner, "step", interrupted(step, when))
            train_folds(request(data, broken, resume=True), 2, silent, save_seconds=0)
    calls = iter(range(1000))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scoring, "segment", interrupted(segment, 2))
        assert train_folds(request(data, broken, resume=True), None, silent)
        score_folds(broken, CPU)
    assert score_folds(broken, CPU).rows == expected.rows
    assert len(segmented) == 4  # each case once
    assert validation_cases(broken) == validation_cases(whole)
    for number in range(2):
        assert_same_state(whole / f"fold-{number}", broken / f"fold-{number}")


def test_finished_folds_are_not_trained_again(data, started, monkeypatch):
    mark_done(started / "fold-0")
    trained = []
    monkeypatch.setattr(
        module, "train", lambda request, *args, **options: trained.append(request.run.name)
    )
    train_folds(request(data, started, resume=True), None, silent)
    assert trained == ["fold-1"]


def test_one_fold_is_trained_alone_and_with_the_given_architecture(data, started, monkeypatch):
    trained = []

    def train_at_once(request, report, architecture, **options):
        trained.append((request.run.name, architecture))
        mark_done(request.run)
        return True

    monkeypatch.setattr(module, "train", train_at_once)
    resumed, other = request(data, started, resume=True), object()
    assert train_folds(resumed, None, silent, fold=1, architecture=other)
    assert trained == [("fold-1", other)]
    with pytest.raises(TrainingError, match="no fold 2: the folds are 0 to 1"):
        train_folds(resumed, None, silent, fold=2)


def test_a_fold_that_another_process_trains_is_left_to_it(data, started, monkeypatch):
    """The lock is held by this process here, which `is_locked` cannot tell from another."""
    other, lines = RunFolder(started / "fold-0"), []
    mark_done(started / "fold-1")
    other.create()
    monkeypatch.setattr(module, "train", None)
    with hold_run_lock(other):
        assert not train_folds(request(data, started, resume=True), None, lines.append)
    assert lines == ["another process is training fold-0"]


@pytest.mark.slow
def test_cases_the_starting_weights_have_seen_are_trained_on_and_not_scored(
    data, tmp_path, weights_to_tune
):
    tuned = load_checkpoint(weights_to_tune)
    card = {"name": "earlier", "trained_on": ["case_01"], "started_from_trained_on": ["case_02"]}
    save_checkpoint(tmp_path / "w.safetensors", tuned.network, tuned.preprocessing, card)
    lines: list[str] = []
    tuning = request(data, tmp_path / "runs", weights=tmp_path / "w.safetensors")
    assert train_folds(tuning, 2, lines.append)
    results = score_folds(tmp_path / "runs", CPU)
    assert [row.case for row in results.rows] == ["case_00", "case_03"]
    assert any("in the training part of every fold and not scored: 2 cases" in s for s in lines)
    for number in range(2):
        split = RunFolder(tmp_path / "runs" / f"fold-{number}").read_config()["split"]
        assert {"case_01", "case_02"} < set(split["trained_on"])


def test_weights_that_have_seen_every_case_leave_nothing_to_validate_on(
    data, tmp_path, weights_to_tune
):
    tuned = load_checkpoint(weights_to_tune)
    card = {"trained_on": ["case_00", "case_01", "case_02"]}
    save_checkpoint(tmp_path / "w.safetensors", tuned.network, tuned.preprocessing, card)
    refused = request(data, tmp_path / "runs", weights=tmp_path / "w.safetensors")
    with pytest.raises(TrainingError, match="to validate on, not 1; the starting weights"):
        train_folds(refused, 2, silent)
    assert not (tmp_path / "runs").exists()


def test_weights_that_do_not_list_their_cases_are_warned_about(
    data, tmp_path, weights_to_tune, monkeypatch
):
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    lines: list[str] = []
    train_folds(request(data, tmp_path / "runs", weights=weights_to_tune), 2, lines.append)
    assert lines[1].startswith("warning: the card of random weights (seed 0) does not list")


def test_no_fold_ends_by_the_scores_of_its_validation_cases(data, tmp_path, started):
    assert CrossValidation.read(started).request.changes["patience"] == 0
    patient = request(data, tmp_path / "other", changes=ONE_EPOCH | {"patience": 3})
    with pytest.raises(TrainingError, match="patience would end each fold"):
        train_folds(patient, 2, silent)


def test_cases_that_changed_since_the_split_are_named(tmp_path, monkeypatch):
    data = write_lesion_cases(tmp_path / "cases", 4)
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    train_folds(request(data, tmp_path / "runs"), 2, silent)
    shutil.move(data / "case_00", data / "other")
    for file in (data / "other").iterdir():
        file.rename(file.with_name(file.name.replace("case_00", "other")))
    with pytest.raises(TrainingError, match="other is new, case_00 has gone"):
        train_folds(request(data, tmp_path / "runs", resume=True), None, silent)


def test_folds_are_not_trained_with_different_settings(data, started, monkeypatch):
    smaller = ONE_EPOCH | {"batch_size": 1}
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    train_folds(request(data, started, resume=True, changes=smaller), None, silent)
    assert CrossValidation.read(started).request.changes["batch_size"] == 1
    with pytest.raises(TrainingError, match="the seed cannot change"):
        train_folds(request(data, started, resume=True, changes={"seed": 5}), None, silent)
    mark_done(started / "fold-0")
    with pytest.raises(
        TrainingError, match=r"fold-0 was trained with other settings \(batch_size\)"
    ):
        train_folds(request(data, started, resume=True, changes={"batch_size": 2}), 2, silent)
    with pytest.raises(TrainingError, match="folds = 3: the cross-validation was started with 2"):
        train_folds(request(data, started, resume=True), 3, silent)


def test_the_recipe_is_settled_by_the_first_saved_state(data, started, monkeypatch):
    """Also by that of a fold that is not finished; what changes no result may change."""
    fold = RunFolder(started / "fold-0")
    fold.create()
    fold.last.write_bytes(b"")
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    with pytest.raises(TrainingError, match=r"fold-0 was trained with other settings \(epochs\)"):
        train_folds(request(data, started, resume=True, changes={"epochs": 5}), None, silent)
    other = request(data, started, resume=True, cache=data, device="cpu", changes={"compile": True})
    assert not train_folds(other, None, silent)
    with pytest.raises(TrainingError, match="the table of patients cannot change"):
        patients = {"case_00": "p"}
        train_folds(request(data, started, resume=True, patients=patients), None, silent)


def test_folds_are_not_trained_by_a_preset_that_has_changed(data, started, monkeypatch):
    train_folds(request(data, started, resume=True), None, silent, fold=0)
    changed = replace(QUICK, learning_rate=QUICK.learning_rate / 2)
    monkeypatch.setattr(training_run, "PRESETS", {"paper": changed})
    with pytest.raises(TrainingError, match="fold-0 was started with another learning_rate than"):
        train_folds(request(data, started, resume=True), None, silent)


def test_scans_of_one_patient_validate_together(data, tmp_path, monkeypatch):
    """As the table says, which is kept for a resume without it and passed on to each fold."""
    received, lines, runs = [], [], tmp_path / "runs"
    monkeypatch.setattr(module, "train", lambda request, *args, **options: received.append(request))
    patients = {"case_00": "p", "case_01": "p", "case_02": "q", "case_03": "q"}
    train_folds(request(data, runs, patients=patients), 2, lines.append)
    assert sorted(validation_cases(runs)) == [["case_00", "case_01"], ["case_02", "case_03"]]
    assert "4 cases of 2 patients; no patient is in two folds" in lines
    train_folds(request(data, runs, resume=True), None, silent)
    assert [r.patients for r in received] == [patients, patients]


def test_of_two_processes_that_start_at_once_one_settles_the_split(data, tmp_path, monkeypatch):
    """The second starts, and settles its split, while the first makes one."""
    stratified, runs = Folds.stratified, tmp_path / "runs"
    monkeypatch.setattr(module, "train", lambda *args, **options: False)

    def start_another_before(*arguments):
        monkeypatch.setattr(Folds, "stratified", stratified)
        assert not train_folds(request(data, runs, resume=True), 2, silent)
        return stratified(*arguments)

    monkeypatch.setattr(Folds, "stratified", start_another_before)
    with pytest.raises(TrainingError, match="started with 2"):
        train_folds(request(data, runs, resume=True), 4, silent)
    assert len(validation_cases(runs)) == 2


def test_a_fold_that_another_process_takes_meanwhile_is_left_to_it(data, started, monkeypatch):
    monkeypatch.setattr(run_lock, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(module, "is_locked", lambda run: False)
    other, lines = RunFolder(started / "fold-0"), []
    other.create()
    with hold_run_lock(other):
        assert not train_folds(request(data, started, resume=True), None, lines.append)
    assert lines[-1] == "another process is training fold-0"
    assert RunFolder(started / "fold-1").is_done


def test_other_starting_weights_are_refused_on_resume(data, tmp_path, weights_to_tune, monkeypatch):
    path = Path(shutil.copy(weights_to_tune, tmp_path / "w.safetensors"))
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    train_folds(request(data, tmp_path / "runs", weights=path), 2, silent)
    tuned = load_checkpoint(path)
    save_checkpoint(path, tuned.network, tuned.preprocessing, {"name": "other"}, overwrite=True)
    with pytest.raises(TrainingError, match="starting weights have changed"):
        train_folds(request(data, tmp_path / "runs", resume=True), None, silent)


def test_a_cross_validation_is_not_overwritten(data, started, tmp_path):
    with pytest.raises(TrainingError, match="holds a cross-validation already") as refused:
        train_folds(request(data, started), 2, silent)
    assert refused.value.remedy.action is Action.CHOOSE_RUN_FOLDER
    with pytest.raises(TrainingError, match="holds no cross-validation"):
        train_folds(request(data, tmp_path / "none", resume=True), None, silent)


def test_several_processes_of_one_launcher_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="one process for each GPU"):
        train_folds(request(data, tmp_path / "runs"), 2, silent)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"folds": 3, "always_training": []}'])
def test_a_damaged_record_is_named(data, started, content):
    (started / "folds.json").write_text(content)
    with pytest.raises(TrainingError, match=r"folds\.json is damaged"):
        train_folds(request(data, started, resume=True), None, silent)


def test_a_fold_resumed_by_itself_keeps_its_validation_cases(data, started):
    """Even before its first state was saved."""
    names = CrossValidation.read(started).folds.validation_cases[0]
    fold = started / "fold-0"
    train(request(data, fold, validation_cases=names), silent)
    (fold / "last.safetensors").unlink()
    train(request(data, fold, resume=True), silent)
    assert events(fold, "start")[-1]["validation"] == list(names)


def test_the_command_trains_all_folds_and_prints_the_table(data, tmp_path, capsys, monkeypatch):
    words = ["train", str(data), "--run", str(tmp_path / "runs"), "--device", "cpu"]
    words += ["--cache", str(data.parent / "cache"), "--epochs", "1"]
    assert main([*words, "--folds", "2"]) == 0
    printed = capsys.readouterr().out
    assert "runs: 4 out-of-fold cases" in printed and "95 % intervals: bootstrap" in printed
    assert main(["folds", str(tmp_path / "runs"), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.strip() in printed
    assert main([*words, "--folds", "2", "--fold", "1"]) == 1
    assert "holds all folds of a cross-validation" in capsys.readouterr().err
    assert main([*words, "--folds", "2"]) == 1
    assert "already; pass --resume to continue it" in capsys.readouterr().err


def test_the_command_says_how_to_resume_folds_that_were_stopped(started, data, capsys, monkeypatch):
    monkeypatch.setattr(module, "train", lambda *args, **options: False)
    assert main(["train", str(data), "--run", str(started), "--resume"]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"to resume: smalltumor train {data} --run {started} --resume\n")


def test_with_fold_or_in_a_run_folder_the_command_trains_one_network(data, tmp_path, monkeypatch):
    received = []
    monkeypatch.setattr(training_run, "train", lambda request, **options: received.append(request))
    run = tmp_path / "run"
    assert main(["train", str(data), "--run", str(run), "--folds", "2", "--fold", "0"]) == 0
    RunFolder(run).write_config({})
    assert main(["train", str(data), "--run", str(run), "--folds", "2", "--resume"]) == 0
    assert [r.changes for r in received] == [{"folds": 2, "fold": 0}, {"folds": 2}]


def test_a_fold_alone_holds_out_the_cases_of_that_fold_of_all(data, started, tmp_path):
    changes = ONE_EPOCH | {"folds": 2, "fold": 1}
    train(request(data, tmp_path / "alone", changes=changes), silent)
    split = RunRecord.read(RunFolder(tmp_path / "alone")).split
    others, fold = validation_cases(started)
    assert (list(split.training), list(split.validation)) == (others, fold)


def test_folds_are_trained_on_a_pack_and_scored_where_the_images_are(data, tmp_path, capsys):
    writer = PackWriter(tmp_path / "pack", QUICK.preprocessing)
    for case in labelled_cases(data):
        writer.add(prepare_case(case, QUICK.preprocessing))
    writer.close()
    runs = tmp_path / "runs"
    words = ["train", str(tmp_path / "pack"), "--run", str(runs), "--folds", "2", "--epochs", "1"]
    assert main([*words, "--device", "cpu"]) == 0
    assert capsys.readouterr().out.endswith(f"smalltumor folds {runs} --data DIR\n")
    assert main(["folds", str(runs), "--device", "cpu"]) == 1
    assert "does not hold the images" in capsys.readouterr().err
    assert main(["folds", str(runs), "--data", str(data), "--device", "cpu"]) == 0
    assert "runs: 4 out-of-fold cases" in capsys.readouterr().out
    unpacked = request(data, tmp_path / "files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train", lambda *args, **options: False)
        train_folds(unpacked, 2, silent)
    assert validation_cases(runs) == validation_cases(tmp_path / "files")
