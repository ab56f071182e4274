"""Out-of-fold scores of run folders, weights and tables: honest, resumable, computed once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun
from smalltumor.errors import Action, CaseError, Remedy, SmalltumorError, TrainingError
from smalltumor.evaluation.summaries.case_rows import case_row, read_rows, write_rows
from smalltumor.inference.predict import segment
from smalltumor.labels.schemes import READ_SCHEMES, LabelScheme
from smalltumor.models.checkpoint import load_checkpoint, save_checkpoint
from smalltumor.training.cross_validation import scoring
from smalltumor.training.cross_validation.record import CrossValidation
from smalltumor.training.cross_validation.results import (
    ScoringSettings,
    read_results,
    weights_results,
)
from smalltumor.training.data.expert_labels import read_expert_labels
from smalltumor.training.execution import train as training_run
from smalltumor.training.execution.train import train
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.folds import Folds
from training_cases import QUICK, disagree_about_sides, write_lesion_cases
from training_runs import request_for, silent

CPU = ScoringSettings(device="cpu")
ONE_EPOCH = {"epochs": 1, "validation_interval": 1}


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    return write_lesion_cases(tmp_path_factory.mktemp("data") / "cases", 4)


@pytest.fixture(scope="module")
def finished(cases, tmp_path_factory) -> Path:
    """A run of one epoch that validates on two cases by name."""
    run = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "PRESETS", {"paper": QUICK})
        validation_cases = ("case_00", "case_02")
        train(
            request_for(
                cases,
                run,
                validation_folder=None,
                validation_cases=validation_cases,
                changes=ONE_EPOCH,
            ),
            silent,
        )
    return run


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy of the finished run, without scores."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def edit(run: Path, **changed) -> None:
    folder = RunFolder(run)
    folder.write_config(folder.read_config() | changed)


@pytest.fixture(autouse=True)
def segmented(monkeypatch) -> list[str]:
    """Segmentation takes no time: the expert's mask, moved by a voxel. Names of its cases."""
    names: list[str] = []

    def moved_truth(case, checkpoint, *, device, flips):
        assert device == "cpu"
        names.append(case.name)
        return SimpleNamespace(classes=np.roll(read_labels(case)[0], 1 + flips, axis=0), run=None)

    monkeypatch.setattr(scoring, "segment", moved_truth)
    return names


def with_card(path: Path, target: Path, **card) -> Path:
    """The same weights with another card."""
    checkpoint = load_checkpoint(path)
    save_checkpoint(target, checkpoint.network, checkpoint.preprocessing, card)
    return target


def test_each_validation_case_is_scored_with_the_final_weights_as_segment_predicts_it(
    run, cases, monkeypatch
):
    monkeypatch.setattr(scoring, "segment", partial(segment, backend="torch"))
    results = read_results([run], CPU)
    assert (results.name, results.notes) == ("run", ())
    assert [row.case for row in results.rows] == ["case_00", "case_02"]
    final = load_checkpoint(run / "final.safetensors")
    case = read_case(cases / "case_00")
    predicted = segment(case, final, device="cpu", backend="torch").classes
    expected = case_row("case_00", scoring.weights_key(final), predicted, read_labels(case)[0])
    assert replace(results.rows[0], inputs="") == expected
    assert expected.et_voxels > 0


def in_scheme(monkeypatch, by_case: dict[str, LabelScheme]) -> None:
    """The expert's masks of cases are in these label schemes."""

    def read(case):
        labels = read_expert_labels(case)
        return replace(labels, scheme=by_case.get(case.name, labels.scheme))

    monkeypatch.setattr(scoring, "read_expert_labels", read)


def test_regions_that_the_expert_s_mask_does_not_tell_are_not_scored(run, monkeypatch):
    in_scheme(monkeypatch, {"case_02": READ_SCHEMES["hd-glio"]})
    results = read_results([run], CPU)
    known, unknown = results.rows
    assert known.tc_dice is not None
    assert (unknown.case, unknown.tc_dice, unknown.wt_dice) == ("case_02", None, None)
    (note,) = results.notes
    assert note.startswith("TC and WT are not scored") and note.endswith(": case_02")
    assert read_results([run / "out_of_fold.csv"], CPU).notes == results.notes


def test_a_case_whose_mask_tells_no_region_is_not_segmented_and_named(run, monkeypatch, segmented):
    in_scheme(monkeypatch, {"case_02": LabelScheme("edema", ncr=0, ed=1, et=0)})
    results = read_results([run], CPU)
    assert [row.case for row in results.rows] == segmented == ["case_00"]
    text = "not scored, because the expert's mask has no class for enhancing tumour: case_02"
    assert results.notes == (text,)


def test_a_run_that_is_done_is_scored_without_the_state_to_resume_from(run):
    (run / "last.safetensors").unlink()
    assert [row.case for row in read_results([run], CPU).rows] == ["case_00", "case_02"]


def test_scores_are_computed_once(run, segmented):
    before = read_results([run], CPU)
    assert read_results([run], CPU) == before
    assert segmented == ["case_00", "case_02"]
    assert read_results([run / "out_of_fold.csv"], CPU).rows == before.rows


def test_an_interrupted_scoring_resumes_with_the_case_that_is_missing(run, monkeypatch, segmented):
    segment_now = scoring.segment

    def interrupted_at_the_second(*args, **options):
        if len(segmented) == 1:
            raise KeyboardInterrupt
        return segment_now(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scoring, "segment", interrupted_at_the_second)
        read_results([run], CPU)
    resumed = read_results([run], CPU)
    assert segmented == ["case_00", "case_02"]
    (run / "out_of_fold.csv").unlink()
    assert read_results([run], CPU) == resumed


def test_scores_with_flips_have_a_table_of_their_own(run, segmented):
    plain = read_results([run], CPU)
    flipped = read_results([run], ScoringSettings(device="cpu", flips=True))
    assert flipped.rows[0].wt_dice < plain.rows[0].wt_dice
    assert read_results([run], CPU) == plain
    assert read_results([run / "out_of_fold_flips.csv"], CPU).rows == flipped.rows
    assert len(segmented) == 4


def test_other_weights_replace_the_scores(run, weights_to_tune):
    before = read_results([run], CPU)
    shutil.copy(weights_to_tune, run / "final.safetensors")
    after = read_results([run], CPU)
    assert {row.weights for row in after.rows}.isdisjoint(row.weights for row in before.rows)
    assert read_rows(run / "out_of_fold.csv") == list(after.rows)


def test_the_same_weights_in_another_file_keep_the_scores(run, segmented):
    before = read_results([run], CPU)
    with_card(run / "final.safetensors", run / "other.safetensors", name="renamed")
    (run / "other.safetensors").replace(run / "final.safetensors")
    assert read_results([run], CPU) == before
    assert len(segmented) == 2


@pytest.fixture
def own_cases(run, cases, tmp_path) -> Path:
    """The cases of the run in a folder that a test may change."""
    folder = Path(shutil.copytree(cases, tmp_path / "own"))
    edit(run, data=str(folder))
    return folder


def move_mask(folder: Path) -> None:
    image = nib.load(folder / "case_02_seg.nii.gz")
    moved = np.roll(np.asarray(image.dataobj), 3, axis=1)
    nib.save(nib.Nifti1Image(moved, image.affine), folder / "case_02_seg.nii.gz")


def replace_image(folder: Path) -> None:
    shutil.copy(folder.parent / "case_01" / "case_01_t1.nii.gz", folder / "case_02_t1.nii.gz")


@pytest.mark.parametrize("change", [move_mask, replace_image])
def test_a_case_is_scored_again_when_its_mask_or_an_image_has_changed(
    run, own_cases, segmented, change
):
    read_results([run], CPU)
    change(own_cases / "case_02")
    read_results([run], CPU)
    assert segmented == ["case_00", "case_02", "case_02"]


@pytest.mark.parametrize("version", ["PREPROCESSING_VERSION", "SCORING_VERSION"])
def test_cases_are_scored_again_by_another_version_of_the_code(
    run, segmented, monkeypatch, version
):
    read_results([run], CPU)
    monkeypatch.setattr(scoring, version, 99)
    read_results([run], CPU)
    assert segmented == ["case_00", "case_02"] * 2


def test_scores_of_a_version_that_did_not_record_their_input_are_computed_again(run, segmented):
    read_results([run], CPU)
    table = run / "out_of_fold.csv"
    write_rows([replace(row, inputs="") for row in read_rows(table)], table)
    read_results([run], CPU)
    assert segmented == ["case_00", "case_02"] * 2


def test_what_makes_a_case_doubtful_is_said_when_it_is_scored(run, own_cases, monkeypatch):
    truth = scoring.segment

    def with_findings(case, checkpoint, **options):
        found = (Finding(FindingKind.SPACING, 9.0),) if case.name == "case_00" else ()
        how = InferenceRun(1.0, "cpu", "torch", "w", ("torch was used",), found)
        return SimpleNamespace(classes=truth(case, checkpoint, **options).classes, run=how)

    monkeypatch.setattr(scoring, "segment", with_findings)
    disagree_about_sides(own_cases / "case_02" / "case_02_t1.nii.gz")
    lines: list[str] = []
    read_results([run], replace(CPU, warn=lines.append))
    assert lines[0].startswith("case_00: a voxel size of 9 mm is unusual")
    assert lines[1] == "case_00: torch was used"
    assert lines[2].startswith("case_02: ") and "disagree about left and right" in lines[2]


def test_another_scan_of_a_patient_that_was_trained_on_is_left_out(run):
    edit(
        run,
        origin={"started_from": "x", "started_from_trained_on": ["z"]},
        patients={"case_02": "p", "z": "p"},
    )
    results = read_results([run], CPU)
    assert [(row.case, row.patient) for row in results.rows] == [("case_00", "case_00")]


def test_a_case_that_the_starting_weights_have_seen_is_left_out(run):
    edit(run, origin={"started_from": "x", "started_from_trained_on": ["case_02", "z"]})
    results = read_results([run], CPU)
    assert [row.case for row in results.rows] == ["case_00"]
    assert results.notes == (
        "run: left out, because the network or its starting weights were trained on these "
        "patients: case_02",
    )


def test_a_run_whose_starting_weights_have_seen_every_case_is_refused(run):
    edit(run, origin={"started_from": "x", "started_from_trained_on": ["case_02", "case_00"]})
    with pytest.raises(TrainingError, match="trained on the patient of every validation case"):
        read_results([run], CPU)
    assert not (run / "out_of_fold.csv").exists()


def test_starting_weights_that_do_not_list_their_cases_are_reported(run):
    edit(run, origin={"started_from": "x", "started_from_trained_on": "unknown"})
    (note,) = read_results([run], CPU).notes
    assert "(x) does not list the cases they were trained on" in note


def test_a_run_that_validation_scores_may_have_ended_is_reported(run):
    edit(run, training=RunFolder(run).read_config()["training"] | {"patience": 3})
    (note,) = read_results([run], CPU).notes
    assert note.startswith("run: patience may have ended the run by the scores of these cases")


def test_a_run_that_is_not_done_is_left_out_unless_asked_for(run):
    RunFolder(run).append("start", 3)
    with pytest.raises(CaseError, match=r"no case to report .*run is not done") as refused:
        read_results([run], CPU)
    assert refused.value.remedy == Remedy(Action.INCLUDE_UNFINISHED)
    results = read_results([run], ScoringSettings(device="cpu", unfinished=True))
    assert results.notes == ("run is not done: scored with its last saved state",)
    assert len(results.rows) == 2
    (run / "last.safetensors").unlink()
    with pytest.raises(CaseError, match="saved no state yet"):
        read_results([run], ScoringSettings(device="cpu", unfinished=True))


def test_a_run_without_its_final_network_is_scored_with_its_last_state(run):
    (run / "final.safetensors").unlink()
    results = read_results([run], CPU)
    assert results.rows[0].weights == scoring.weights_key(current_checkpoint(run))
    assert results.notes == ()  # its norms are frozen, so that the last state is the final network


def test_weights_are_scored_on_the_cases_they_have_not_seen(run, weights_to_tune, tmp_path):
    card = {"name": "w", "trained_on": ["case_00"]}
    listed = with_card(weights_to_tune, tmp_path / "w.safetensors", **card)
    results = weights_results(listed, [run], CPU)
    assert [row.case for row in results.rows] == ["case_02"]
    assert results.notes == ("w was trained on the patients of case_00: left out",)
    unlisted = weights_results(weights_to_tune, [run], CPU)
    assert "does not list the cases it was trained on" in unlisted.notes[0]
    assert len(list(run.glob("scores_*.csv"))) == 1
    assert not (run / "out_of_fold.csv").exists()


def test_weights_that_were_chosen_by_the_scores_of_validation_cases_are_reported(run):
    """The best network of a run, on the cases that the run has validated on."""
    best = run / "best.safetensors"
    (note,) = weights_results(best, [run], CPU).notes
    assert note == (
        "run (epoch 1) was chosen by its scores on case_00, case_02, so its scores on them are "
        "too good"
    )
    assert weights_results(run / "final.safetensors", [run], CPU).notes == ()


def test_a_run_that_starts_from_weights_chosen_by_validation_cases_is_reported(run):
    origin = {"started_from": "x", "started_from_trained_on": ["z"]}
    edit(run, origin=origin | {"started_from_selected_on": ["case_02", "y"]})
    (note,) = read_results([run], CPU).notes
    assert note.startswith("run: its starting weights (x) were chosen by their scores on case_02")


def test_a_final_network_of_an_earlier_end_is_not_scored(run):
    """The run was extended, ended by a stop, and resumed with fewer epochs than are done."""
    state = RunFolder(run)
    step = load_checkpoint(state.final).card["steps"]
    state.append("start", step)
    state.append("done", step + 3)
    results = read_results([run], CPU)
    assert {row.weights for row in results.rows} == {scoring.weights_key(current_checkpoint(run))}
    assert results.notes == (
        f"run: its final network is of step {step}, not of step {step + 3}, at which it ended: "
        "scored with its last saved state",
    )


def test_folds_that_were_trained_in_different_ways_are_reported(run, tmp_path):
    whole = tmp_path / "whole"
    request = request_for(tmp_path, whole, validation_folder=None)
    folds = Folds((("case_00", "case_02"), ("case_01",)))
    whole.mkdir()
    CrossValidation(request, folds, None).write()
    for number in range(2):
        shutil.copytree(run, whole / f"fold-{number}")
    config = RunFolder(whole / "fold-1").read_config()["training"]
    edit(
        whole / "fold-1",
        validation_cases=["case_01"],
        training=config | {"batch_size": 1, "compile": True},
    )
    split = RunFolder(run).read_config()["split"]
    edit(whole / "fold-1", split=split | {"trained_on": ["case_00", "case_02", "case_03"]})
    (note,) = read_results([whole], CPU).notes
    assert note == (
        "fold-1 was trained with other settings than fold-0 (batch_size), so that the folds are "
        "not comparable"
    )


def test_weights_cannot_be_scored_on_a_table(run, weights_to_tune):
    read_results([run], CPU)
    with pytest.raises(TrainingError, match="run folders only"):
        weights_results(weights_to_tune, [run / "out_of_fold.csv"], CPU)


def test_a_case_is_scored_by_one_run_only(run):
    with pytest.raises(CaseError, match="case_00, case_02: scored by more than one"):
        read_results([run, run], CPU)


def test_a_validation_case_that_has_gone_is_named(run):
    edit(run, validation_cases=["case_00", "gone"])
    with pytest.raises(TrainingError, match=r"gone is not in .*cases and cannot"):
        read_results([run], CPU)


def test_a_case_that_is_there_twice_is_not_scored(run, cases, tmp_path):
    twice = Path(shutil.copytree(cases, tmp_path / "twice" / "one"))
    shutil.copytree(twice / "case_00", tmp_path / "twice" / "two" / "case_00")
    edit(run, data=str(tmp_path / "twice"))
    with pytest.raises(TrainingError, match=r"case_00 is not in .* and cannot be scored"):
        read_results([run], CPU)


@pytest.mark.parametrize("content", [None, "text"])
def test_what_holds_no_scores_is_named(tmp_path, content):
    path = tmp_path / "thing"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SmalltumorError, match="thing is neither a run folder"):
        read_results([path], CPU)


def test_a_run_whose_record_has_no_split_is_damaged(run):
    config = json.loads((run / "config.json").read_text())
    del config["split"]
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(TrainingError, match="is damaged"):
        read_results([run], CPU)
