"""Runs that are stopped, killed or fail keep what was saved, and resume."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from smalltumor.errors import Action, OutputError, Remedy, TrainingError, TrainingMemoryError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.models.network import MultiTaskNetwork
from smalltumor.training.execution import train as training_run
from smalltumor.training.execution.train import train
from smalltumor.training.loop import stopping, validator
from smalltumor.training.loop.stopping import StepAborted, StopListener
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.status import RunState
from training_cases import QUICK, write_lesion_cases
from training_runs import (
    StopAfter,
    assert_same_state,
    events,
    request_for,
    silent,
    start_run,
    wait_for_step,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]

KILLS = 2
LONG = {"epochs": 10, "validation_interval": 5}


def test_a_run_stopped_after_every_step_ends_in_the_same_state(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "whole"), silent)
    steps = events(tmp_path / "whole", "done")[0]["step"]
    for _ in range(steps + 1):  # one step in each process
        answers = iter([False] * 4 + [True])  # asked before each of four cases, after each step
        monkeypatch.setattr(training_run, "StopListener", lambda run, a=answers: StopAfter(a))
        if train(request_for(data, tmp_path / "bits", resume=True), silent):
            break
    assert events(tmp_path / "bits", "done")[0]["step"] == steps
    assert_same_state(tmp_path / "whole", tmp_path / "bits")


def test_a_killed_run_resumes_and_ends_where_an_unbroken_one_does(data, tmp_path):
    rng = np.random.default_rng(0)
    run = tmp_path / "killed"
    for kill in range(KILLS):
        process = start_run(data, run, LONG, until=tmp_path / "never")
        wait_for_step(run, process, 3 * (2 + 3 * kill))
        time.sleep(rng.uniform(0, 0.3))
        assert process.poll() is None
        process.kill()
        process.communicate()
    assert train(request_for(data, run, resume=True), silent)
    assert train(request_for(data, tmp_path / "unbroken", changes=LONG), silent)
    assert_same_state(run, tmp_path / "unbroken")
    steps = [e["step"] for e in events(run, "epoch")]
    assert steps == sorted(set(steps))
    assert not list(run.glob("*.part"))
    load_checkpoint(run / "best.safetensors")


def test_of_two_processes_that_train_in_one_folder_at_once_one_is_refused(data, tmp_path):
    run = tmp_path / "run"
    refused = tmp_path / "refused"
    both = [start_run(data, run, LONG | {"epochs": 4}, until=refused) for _ in range(2)]
    while all(process.poll() is None for process in both):
        time.sleep(0.05)
    refused.touch()  # the other one may end
    outputs = [process.communicate(timeout=300) for process in both]
    assert sorted("finished" in output for output, _ in outputs) == [False, True]
    refusal = next(error for output, error in outputs if "finished" not in output)
    assert "RunInUseError: " in refusal
    assert "already" in refusal or "in the meantime" in refusal
    assert [e["step"] for e in events(run, "start")] == [0]
    assert [e["epoch"] for e in events(run, "epoch")] == [1, 2, 3, 4]


def test_a_run_that_another_process_started_meanwhile_is_not_overwritten(
    data, tmp_path, monkeypatch
):
    """Between the look at the folder and the lock."""
    path, choose, other = tmp_path / "run", training_run.AvailableCases.find, []

    def find_while_another_trains(request):
        if not other:
            other.append(True)
            train(request_for(data, path), silent)
        return choose(request)

    monkeypatch.setattr(training_run.AvailableCases, "find", find_while_another_trains)
    with pytest.raises(TrainingError, match="another process has trained there"):
        train(request_for(data, path), silent)
    assert len(events(path, "start")) == len(events(path, "done")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_saves(data, tmp_path, monkeypatch, number):
    run, lines, step = tmp_path / "run", [], Learner.step

    def with_signal(self, batch):
        signal.raise_signal(number)
        return step(self, batch)

    monkeypatch.setattr(Learner, "step", with_signal)
    monkeypatch.setattr(stopping, "STEP_GRACE_SECONDS", 600.0)  # however slow the machine
    assert not train(request_for(data, run), lines.append)
    assert lines[-1] == "stopped and saved"
    assert [e["step"] for e in events(run, "stop")] == [1]
    assert (run / "last.safetensors").is_file()


def test_a_run_is_not_overwritten(data, tmp_path):
    RunFolder(tmp_path / "run").write_config({"training": QUICK.to_dict()})
    with pytest.raises(TrainingError, match="holds a run already") as refused:
        train(request_for(data, tmp_path / "run"), silent)
    assert refused.value.remedy == Remedy(Action.CHOOSE_RUN_FOLDER)


def test_a_damaged_state_is_named_and_not_replaced(data, tmp_path):
    run = RunFolder(tmp_path / "run")
    split = {"training": ["case_01"], "validation": ["case_00"], "trained_on": ["case_01"]}
    recipe = {"training": QUICK.to_dict(), "origin": {}, "steps_per_epoch": 2}
    run.write_config({**recipe, "split": split})
    run.last.write_bytes(b"\x10\0\0\0\0\0\0\0damaged")
    with pytest.raises(TrainingError, match=r"last\.safetensors"):
        train(request_for(data, run.path, resume=True), silent)
    assert run.last.read_bytes().endswith(b"damaged")


def test_a_loss_that_is_not_finite_stops_and_names_step_and_cases(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "run"), silent)
    good = (tmp_path / "run" / "last.safetensors").read_bytes()
    huge = {"learning_rate": 1e30, "epochs": 4, "freeze_norms_at": 1.0, "max_gradient_norm": 0.0}
    with pytest.raises(TrainingError, match=r"not? .*finite at step \d+ \(cases case_0"):
        train(request_for(data, tmp_path / "run", resume=True, changes=huge), silent)
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == good


def test_a_full_disk_keeps_the_last_state(data, tmp_path, monkeypatch):
    run = tmp_path / "run"
    train(request_for(data, run), silent)
    good = (run / "last.safetensors").read_bytes()

    write = Path.write_bytes

    def no_space(self, content):
        if len(content) > 100_000:
            raise OSError(28, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OutputError, match=r"(last|best)\.safetensors .*No space left"):
        train(request_for(data, run, resume=True, changes={"epochs": 4}), silent)
    assert (run / "last.safetensors").read_bytes() == good
    assert not list(run.glob(".*"))


@pytest.mark.parametrize(
    ("error", "device_words"),
    [
        (MemoryError(), "cpu"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "cpu"),
        (RuntimeError("std::bad_alloc"), "cpu"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "cpu"),
    ],
)
def test_out_of_memory_the_error_has_what_fits_and_the_run_resumes_with_it(
    data, tmp_path, monkeypatch, error, device_words
):
    run = tmp_path / "run"
    forward, calls = MultiTaskNetwork.outputs, iter(range(100))

    def too_large(self, *args, **options):
        if next(calls) == 1:
            raise error
        return forward(self, *args, **options)

    monkeypatch.setattr(MultiTaskNetwork, "outputs", too_large)
    with pytest.raises(
        TrainingMemoryError, match=rf"{device_words} at step 1 for 2 crops"
    ) as raised:
        train(request_for(data, run), silent)
    assert raised.value.remedy == Remedy(Action.RESUME, settings={"batch_size": 1})
    status = RunMonitor(run).poll()
    assert (status.state, status.changes) == (RunState.FAILED, {"batch_size": 1})
    assert train(request_for(data, run, resume=True, changes={"batch_size": 1}), silent)
    done = events(run, "done")
    assert done[0]["step"] == 2 * 3  # epochs are counted on as they were planned
    assert RunFolder(run).read_config()["training"]["batch_size"] == 1
    assert [e["step"] for e in events(run, "start")] == [0, 1]


def test_a_device_failure_is_reported_in_a_sentence(data, tmp_path, monkeypatch):
    def gone(*args, **options):
        raise RuntimeError(
            "CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"
        )

    monkeypatch.setattr(MultiTaskNetwork, "outputs", gone)
    with pytest.raises(TrainingError, match=r"has failed \(CUDA error: unspecified") as raised:
        train(request_for(data, tmp_path / "run"), silent)
    assert raised.value.remedy == Remedy(Action.RESUME)
    assert "unspecified launch failure" in RunMonitor(tmp_path / "run").poll().message


def test_a_long_step_is_aborted_and_repeated(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "whole"), silent)
    run, answers = tmp_path / "bits", iter([False] * 120 + [True])
    monkeypatch.setattr(StopListener, "abort_step", lambda self: next(answers, False))
    assert not train(request_for(data, run), silent)
    stopped = events(run, "stop")[0]["step"]
    assert stopped < events(tmp_path / "whole", "done")[0]["step"]
    assert train(request_for(data, run, resume=True), silent)
    assert_same_state(tmp_path / "whole", run)


def test_an_aborted_validation_is_repeated(data, tmp_path, monkeypatch):
    run = tmp_path / "run"
    scored = validator.score_cases

    def aborted(*args):
        raise StepAborted

    monkeypatch.setattr(validator, "score_cases", aborted)
    assert not train(request_for(data, run), silent)
    monkeypatch.setattr(validator, "score_cases", scored)
    assert train(request_for(data, run, resume=True), silent)
    assert [e["epoch"] for e in events(run, "validation")] == [2]


def test_a_run_is_not_validated_on_a_mask_that_was_changed_meanwhile(data, tmp_path):
    cases, run = tmp_path / "cases", tmp_path / "run"
    shutil.copytree(data, cases)
    train(request_for(cases, run), silent)
    mask = next((cases / "case_00").glob("*_seg.nii.gz"))
    stored = nib.load(mask)
    classes = np.asarray(stored.dataobj)
    nib.save(nib.Nifti1Image(classes, stored.affine), mask.with_suffix(""))  # the same voxels
    mask.unlink()
    longer = request_for(cases, run, resume=True, changes={"epochs": 4})
    assert train(longer, silent)
    nib.save(nib.Nifti1Image(np.where(classes == 4, 1, classes), stored.affine), mask)
    mask.with_suffix("").unlink()
    longest = request_for(cases, run, resume=True, changes={"epochs": 6})
    with pytest.raises(TrainingError, match=r"case_00: the mask or the images .* have changed"):
        train(longest, silent)
    assert len(events(run, "validation")) == 2


def test_a_run_ended_before_its_first_step_keeps_its_start_and_the_card_its_origin(data, tmp_path):
    train(request_for(data, tmp_path / "first"), silent)
    best = tmp_path / "first" / "best.safetensors"
    tuned = request_for(data, tmp_path / "second", preset="finetune", weights=best)
    train(tuned, silent)
    (tmp_path / "second" / "last.safetensors").unlink()
    as_it_is = {"learning_rate": 1e-12, "freeze_norms_at": 0.0}
    train(request_for(data, tmp_path / "second", resume=True, changes=as_it_is), silent)
    start_score, later = events(tmp_path / "second", "validation")
    assert start_score["epoch"] == 0
    assert later["score"] == pytest.approx(start_score["score"], abs=0.001)
    card = current_checkpoint(tmp_path / "second").card
    assert card["step"] == later["step"]
    origin = RunFolder(tmp_path / "second").read_config()["origin"]
    written = load_checkpoint(tmp_path / "second" / "final.safetensors").card
    assert origin["started_from"] == written["started_from"] == "first (epoch 2)"
    assert written["started_from_digest"] == load_checkpoint(best).digest
    assert origin["started_from_trained_on"] == ["case_01", "case_02", "case_03"]


def test_the_origin_of_a_chain_of_runs_lists_the_cases_of_every_link(data, tmp_path):
    elsewhere = write_lesion_cases(tmp_path / "elsewhere", 2, names="new_{:02d}")
    train(request_for(data, tmp_path / "0"), silent)
    for link, before in (("1", "0"), ("2", "1")):
        best = tmp_path / before / "final.safetensors"
        request = request_for(
            elsewhere, tmp_path / link, preset="finetune", weights=best, validation_folder=None
        )
        train(request, silent)
    origin = RunFolder(tmp_path / "2").read_config()["origin"]
    assert set(origin["started_from_trained_on"]) == {
        *("case_01", "case_02", "case_03"),
        *("new_00", "new_01"),
    }


def test_cases_whose_images_the_starting_weights_have_seen_are_listed_under_their_new_names(
    data, tmp_path
):
    train(request_for(data, tmp_path / "first"), silent)
    best = tmp_path / "first" / "final.safetensors"
    copies = write_lesion_cases(tmp_path / "copies", 2, names="copy_{:02d}")  # case_00, case_01
    tuned = request_for(
        copies, tmp_path / "second", preset="finetune", weights=best, validation_folder=None
    )
    train(tuned, silent)
    first, second = (
        load_checkpoint(tmp_path / n / "final.safetensors").card for n in ("first", "second")
    )
    assert second["started_from_trained_on"] == [*first["trained_on"], "copy_01"]
    assert second["started_from_trained_on_images"] == first["trained_on_images"]
    assert len(first["trained_on_images"]) == len(first["trained_on"]) == 3
    assert len(second["trained_on_images"]) == 2
