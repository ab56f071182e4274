"""Runs from a pack, and runs whose length is a time, are resumed and end as others do."""

from __future__ import annotations

import pytest
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.pack_writer import PackWriter
from smalltumor.training.execution.train import train
from smalltumor.training.loop import trainer
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.status import RunState
from training_runs import (
    StopAfter,
    assert_same_state,
    events,
    request_for,
    silent,
    start_run,
    wait_for_step,
)

pytestmark = pytest.mark.usefixtures("quick")

LONG = {"epochs": 6, "validation_interval": 3}


@pytest.fixture(scope="module")
def pack(data, tmp_path_factory):
    """The four cases as a pack of two parts."""
    folder = tmp_path_factory.mktemp("packs") / "pack"
    writer = PackWriter(folder, Preprocessing(), part_bytes=10**5)
    for case in labelled_cases(data):
        writer.add(prepare_case(case, Preprocessing()))
    writer.close()
    return folder


def pack_request(pack, run, **changed):
    return request_for(
        pack, run, **{"validation_folder": None, "validation_cases": ("case_00",), **changed}
    )


@pytest.mark.slow
def test_a_run_from_a_pack_learns_validates_and_needs_no_cache(pack, tmp_path):
    lines = []
    assert train(pack_request(pack, tmp_path / "run", changes=LONG, cache=None), lines.append)
    (start,) = events(tmp_path / "run", "start")
    assert start["validation"] == ["case_00"]
    assert len(start["training"]) == 3
    losses = [event["loss"] for event in events(tmp_path / "run", "epoch")]
    assert losses[-1] < losses[0]
    assert load_checkpoint(tmp_path / "run" / "best.safetensors").card["trained_on"]
    assert not (tmp_path / "run" / "cache").exists()
    assert "preparing 4 cases" in lines


@pytest.mark.slow
def test_a_killed_run_from_a_pack_resumes_and_ends_where_an_unbroken_one_does(pack, data, tmp_path):
    run = tmp_path / "killed"
    never = tmp_path / "never"
    process = start_run(pack, run, LONG, validation=data / "case_00", until=never)
    wait_for_step(run, process, 4)
    assert process.poll() is None
    process.kill()
    process.communicate()
    request = {"validation_folder": data / "case_00", "changes": LONG}
    assert train(request_for(pack, run, resume=True, **request), silent)
    assert train(request_for(pack, tmp_path / "unbroken", **request), silent)
    assert_same_state(run, tmp_path / "unbroken")


def test_a_pack_with_another_preparation_than_the_network_s_is_refused(pack, tmp_path):
    changes = {"preprocessing": Preprocessing(lower=5, upper=95)}
    with pytest.raises(TrainingError, match="was prepared with"):
        train(pack_request(pack, tmp_path / "run", changes=changes), silent)


class Clock:
    """Every reading is half a second after the one before."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 0.5
        return self.now


@pytest.mark.slow
def test_a_run_of_some_minutes_ends_by_itself_with_weights(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    run = tmp_path / "run"
    changes = {"minutes": 0.5, "epochs": 1000, "validation_interval": 1000}
    assert train(pack_request(pack, run, changes=changes), silent)
    (done,) = events(run, "done")
    epochs = events(run, "epoch")
    assert done["step"] == epochs[-1]["step"] > 4
    rates = [event["learning_rate"] for event in epochs]
    assert rates[-1] < 0.3 * max(rates)
    (validation,) = events(run, "validation")
    assert validation["step"] == done["step"]
    for name in ("best.safetensors", "final.safetensors"):
        assert load_checkpoint(run / name).card["steps"] == done["step"]
    status = RunMonitor(run).poll()
    assert (status.state, status.message) == (RunState.DONE, "done")
    assert status.step == done["step"]
    assert status.epoch == status.epochs < 1000
    assert status.fraction == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_the_minutes_of_a_run_count_over_its_resumes(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    train(pack_request(pack, tmp_path / "whole", changes={"minutes": 0.5}), silent)
    steps = events(tmp_path / "whole", "done")[0]["step"]
    run = tmp_path / "parts"
    for _ in range(20):
        stops = iter([False] * 6 + [True])
        listener = StopAfter(stops)
        monkeypatch.setattr(
            "smalltumor.training.execution.train.StopListener", lambda run, it=listener: it
        )
        if train(pack_request(pack, run, changes={"minutes": 0.5}, resume=True), silent):
            break
    else:
        pytest.fail("it never ended")
    assert len(events(run, "start")) > 1
    assert abs(events(run, "done")[0]["step"] - steps) <= 0.5 * steps


def test_the_card_tells_how_often_modalities_were_missing(pack, tmp_path):
    changes = {"epochs": 1, "modality_dropout": 0.25}
    train(pack_request(pack, tmp_path / "run", changes=changes), silent)
    assert load_checkpoint(tmp_path / "run" / "best.safetensors").card["modality_dropout"] == 0.25


def test_events_tell_crops_a_second_and_memory(pack, tmp_path, monkeypatch):
    monkeypatch.setattr("smalltumor.training.loop.throughput.REPORT_SECONDS", 0.0)
    train(pack_request(pack, tmp_path / "run"), silent)
    newest = events(tmp_path / "run", "progress")[-1]
    assert 0 < newest["crops_per_second"] <= newest["voxels_per_second"] / 32**3 * 1.01
    assert newest["peak_memory"] > 0
    assert events(tmp_path / "run", "epoch")[-1]["crops_per_second"] > 0
