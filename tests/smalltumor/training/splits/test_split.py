"""Training and validation cases stay apart for the whole run."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.execution.train import train
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.split import Split
from training_cases import write_lesion_cases
from training_runs import events, request_for, silent

ONE_EPOCH = {"epochs": 1, "validation_interval": 1}
HALF = ONE_EPOCH | {"validation_stride": 2}
MORE = {"epochs": 2}


@pytest.fixture
def data(tmp_path):
    """A folder of four cases that a test may change."""
    return write_lesion_cases(tmp_path / "cases", 4)


@pytest.fixture
def run(data, tmp_path, quick):
    """A finished run of one epoch that validates on every second case."""
    train(request_for(data, tmp_path / "run", validation_folder=None, changes=HALF), silent)
    return tmp_path / "run"


def resume(data, run, **changed):
    lines: list[str] = []
    train(
        request_for(data, run, validation_folder=None, changes=MORE, resume=True, **changed),
        lines.append,
    )
    return lines


@pytest.mark.slow
def test_a_case_added_before_a_resume_joins_training_and_moves_no_other(data, run):
    write_lesion_cases(data, 1, names="a_new_{:02d}", seed=10)
    resume(data, run)
    start = events(run, "start")[-1]
    assert start["validation"] == ["case_00", "case_02"]
    assert start["training"] == ["case_01", "case_03", "a_new_00"]
    best = load_checkpoint(run / "best.safetensors").card
    assert best["trained_on"] in (start["training"], ["case_01", "case_03"])
    assert RunFolder(run).read_config()["split"]["trained_on"] == start["training"]


def test_a_training_case_that_has_gone_stays_on_the_card(data, run):
    shutil.rmtree(data / "case_01")
    resume(data, run)
    assert events(run, "start")[-1]["training"] == ["case_03"]
    split = RunFolder(run).read_config()["split"]
    assert split["trained_on"] == ["case_01", "case_03"]


def test_a_validation_case_that_has_gone_is_named(data, run):
    before = RunFolder(run).read_config()
    shutil.rmtree(data / "case_02")
    with pytest.raises(TrainingError, match=r"case_02: .*put it back"):
        resume(data, run)
    assert RunFolder(run).read_config() == before


def test_other_folds_on_resume_are_refused(data, run):
    with pytest.raises(TrainingError, match=r"folds = 4: .*new run"):
        train(
            request_for(data, run, validation_folder=None, changes={"folds": 4}, resume=True),
            silent,
        )


def test_another_share_of_the_start_on_resume_is_refused(data, run):
    with pytest.raises(TrainingError, match=r"starting_weights_share = 0\.5: .*new run"):
        train(request_for(data, run, changes={"starting_weights_share": 0.5}, resume=True), silent)


def test_a_run_from_zero_has_no_start_to_keep_a_share_of(data, tmp_path, quick):
    with pytest.raises(TrainingError, match="no weights to start from"):
        train(request_for(data, tmp_path / "run", changes={"starting_weights_share": 0.5}), silent)
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.slow
def test_a_run_without_validation_can_get_cases_it_has_not_trained_on(data, tmp_path, quick):
    copied = write_lesion_cases(tmp_path / "copied", 1, names="copy_{:02d}")
    elsewhere = write_lesion_cases(tmp_path / "elsewhere", 1, names="new_{:02d}", seed=7)
    run = tmp_path / "run"
    train(request_for(data, run, validation_folder=None, changes=ONE_EPOCH), silent)
    assert events(run, "epoch")[0]["seconds_left"] is not None
    with pytest.raises(TrainingError, match="case_00: the run has been trained on this case"):
        train(request_for(data, run, changes=MORE, resume=True), silent)
    with pytest.raises(TrainingError, match=r"copy_00: .*another scan of this patient"):
        train(request_for(data, run, validation_folder=copied, changes=MORE, resume=True), silent)
    train(request_for(data, run, validation_folder=elsewhere, changes=MORE, resume=True), silent)
    assert [s["case"] for s in events(run, "validation")[-1]["by_case"]] == ["new_00"]


@pytest.mark.slow
def test_a_run_without_a_saved_state_draws_its_split_anew(data, run):
    (run / "last.safetensors").unlink()
    shutil.rmtree(data / "case_00")
    resume(data, run)
    assert events(run, "start")[-1]["validation"] == ["case_01", "case_03"]


@pytest.mark.parametrize(
    ("names", "validation_cases", "every"), [(["a"], [], 2), (["a", "b"], [], 1), (["a"], ["a"], 0)]
)
def test_a_split_without_training_cases_is_refused(names, validation_cases, every):
    with pytest.raises(TrainingError, match="no case is left"):
        Split.with_validation(names, validation_cases, every)


def test_the_first_of_few_cases_validates():
    split = Split.with_validation(["a", "b", "c"], [], 5)
    assert (split.validation, split.training) == (("a",), ("b", "c"))


def test_a_resumed_run_does_not_validate_on_another_scan_of_a_patient_it_has_seen():
    split = Split.with_validation(["P1_visit1", "P2_visit1"], [])
    with pytest.raises(TrainingError, match=r"P1_visit2: .*another scan of this patient"):
        split.updated(["P1_visit1", "P2_visit1"], ["P1_visit2"])
    with pytest.raises(TrainingError, match=r"Q7: .*another scan of this patient"):
        split.updated(["P1_visit1", "P2_visit1"], ["Q7"], {"Q7": "x", "P2_visit1": "x"})


NAMES = st.lists(st.sampled_from("abcdefghij"), unique=True, min_size=1)


@given(first=NAMES, later=st.lists(NAMES, max_size=4), every=st.integers(0, 4))
def test_no_resume_validates_on_a_case_that_was_ever_trained_on(first, later, every):
    try:
        split = Split.with_validation(sorted(first), [], every)
    except TrainingError:
        return
    validation, ever = split.validation, set(split.training)
    for names in later:
        try:
            split = split.updated(sorted(names), [])
        except TrainingError:
            continue
        ever |= set(split.training)
        assert split.validation == validation
        assert not ever & set(split.validation)
        assert set(split.trained_on) == ever
        assert set(split.training) == set(names) - set(validation)


def test_scans_of_one_patient_are_on_one_side():
    names = ["case_0", "sub-1_ses-1", "sub-1_ses-2", "sub-2_ses-1"]
    split = Split.with_validation(names, [], 2)
    assert split.validation == ("case_0", "sub-2_ses-1")
    assert split.training == ("sub-1_ses-1", "sub-1_ses-2")
    same = {"case_0": "sub-1"}
    assert Split.with_validation(names, [], 2, same).training == ("sub-2_ses-1",)


def test_other_scans_of_a_validation_patient_are_not_trained_on():
    names = ["case_0", "sub-1_ses-2"]
    split = Split.with_validation(names, ["sub-1_ses-1"])
    assert (split.training, split.validation) == (("case_0",), ("sub-1_ses-1",))
    later = split.updated([*names, "sub-1_ses-3", "sub-2_ses-1"], ["sub-1_ses-1"])
    assert later.training == ("case_0", "sub-2_ses-1")


def test_a_table_of_other_cases_is_refused(data, tmp_path, quick):
    request = request_for(data, tmp_path / "run", validation_folder=None, changes=HALF)
    with pytest.raises(TrainingError, match="lists none of the cases"):
        train(replace(request, patients={"case_0": "p"}), silent)
    train(replace(request, patients={"case_00": "p", "case_03": "p"}), silent)
    assert events(tmp_path / "run", "start")[-1]["validation"] == ["case_00", "case_02", "case_03"]


def test_scans_that_are_left_out_are_named(tmp_path, quick):
    data = write_lesion_cases(tmp_path / "cases", 2, names="sub-1_ses-{:02d}")
    write_lesion_cases(data, 1, seed=10)
    lines: list[str] = []
    request = request_for(data, tmp_path / "run", validation_folder=None, changes=ONE_EPOCH)
    train(replace(request, validation_cases=("sub-1_ses-00",)), lines.append)
    assert events(tmp_path / "run", "start")[-1]["training"] == ["case_00"]
    assert "not trained on, as scans of patients of the validation cases: sub-1_ses-01" in lines


def test_scans_of_a_patient_are_on_one_side_however_their_names_are_written():
    names = ["upenn-gbm-00003_21", "UPENN-GBM-00004_11"]
    split = Split.with_validation(names, ["UPENN-GBM-00003_11"])
    assert "upenn-gbm-00003_21" not in split.trained_on


def test_messages_about_several_cases_are_of_each_of_them():
    split = Split(("P1_a", "P2_a"), ("P8", "P9"), ("P1_a", "P2_a"))
    with pytest.raises(
        TrainingError, match="P8, P9: these validation cases of the run are missing"
    ):
        split.updated(["P1_a", "P2_a"], [])
    with pytest.raises(TrainingError, match="P9: this validation case of the run is missing"):
        split.updated(["P1_a", "P2_a"], ["P8"])
    patients = {"P1_a": "P1", "P1_b": "P1", "P2_a": "P2", "P2_b": "P2"}
    trained = Split(("P1_a", "P2_a"), (), ("P1_a", "P2_a"))
    for validation_cases, text in (
        (["P1_a", "P2_a"], "P1_a, P2_a: the run has been trained on these cases and cannot"),
        (["P1_a", "P2_b"], "P1_a: the run has been trained on this case .*; P2_b: .* another scan"),
        (["P1_b", "P2_b"], "P1_b, P2_b: .* another scan of these patients .* validate on them"),
    ):
        with pytest.raises(TrainingError, match=text):
            trained.updated(["P1_a", "P2_a"], validation_cases, patients)
