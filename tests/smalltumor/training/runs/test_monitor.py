"""A run as seen through its folder, on this machine or another."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

import pytest
from failing_drives import let_drive_fail
from smalltumor.training.runs import run_lock
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.history import RunHistory
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import hold_run_lock
from smalltumor.training.runs.status import RunState


@pytest.fixture
def run(tmp_path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": {"epochs": 10}})
    return run


def validation(epoch: int, *scores: float, names: Sequence[str] = "ab") -> dict:
    by_case = [
        {"case": name, "et": score, "tc": score, "wt": score}
        for name, score in zip(names, scores, strict=False)
    ]
    mean = sum(scores) / len(scores)
    means = dict.fromkeys(("score", "et", "tc", "wt"), mean)
    return {"epoch": epoch, **means, "small_lesions": None, "by_case": by_case}


def test_only_new_events_are_read_and_half_a_line_is_left_for_later(run):
    monitor = RunMonitor(run.path)
    run.append("epoch", 4, epoch=1, epochs=10, segmentation=0.8)
    assert monitor.poll().losses["segmentation"] == ([1.0], [0.8])
    line = json.dumps({"event": "epoch", "step": 8, "time": 1.0, "epoch": 2, "segmentation": 0.6})
    with run.events.open("a") as file:
        file.write(line[:20])
    assert monitor.poll().epoch == 1
    with run.events.open("a") as file:
        file.write(line[20:] + "\n")
    status = monitor.poll()
    assert status.losses["segmentation"] == ([1.0, 2.0], [0.8, 0.6])
    assert status.steps == 0 or status.epochs == 10


def test_a_poll_costs_the_same_however_long_the_run_is(run, monkeypatch):
    """Counted in events that are processed, in a run with an event every 5 seconds."""
    progress = {"event": "progress", "step": 1, "time": 1.0, "seconds_left": 9.0}
    epoch = {"event": "epoch", "step": 1, "time": 1.0, "epoch": 1, "segmentation": 0.5}
    lines = [json.dumps(epoch if n % 720 == 0 else progress) for n in range(24 * 720)]
    run.events.write_text("\n".join(lines) + "\n")
    monitor, added = RunMonitor(run.path), []
    add = RunHistory.add
    monkeypatch.setattr(RunHistory, "add", lambda self, e: added.append(e) or add(self, e))
    assert len(monitor.poll().losses["segmentation"][0]) == 24
    assert len(added) == 2 * 24
    added.clear()
    monitor.poll()
    assert added == []
    run.append("progress", 2, seconds_left=8.0)
    assert monitor.poll().step == 2
    assert [event["step"] for event in added] == [2]


def test_curves_of_an_earlier_poll_stay_as_they_were(run):
    monitor = RunMonitor(run.path)
    run.append("epoch", 4, epoch=1, epochs=10, segmentation=0.8)
    first = monitor.poll()
    run.append("epoch", 8, epoch=2, epochs=10, segmentation=0.6)
    assert monitor.poll().losses["segmentation"] == ([1.0, 2.0], [0.8, 0.6])
    assert first.losses["segmentation"] == ([1.0], [0.8])


def test_a_stop_after_a_torn_line_is_seen(run):
    run.append("start", 0)
    with run.events.open("a") as file:
        file.write('{"event": "progress", "step": 3, "ti')
    run.append("stop", 3, request="stop")
    assert RunMonitor(run.path).poll().state is RunState.STOPPED


def test_a_resumed_run_is_read_anew(run):
    monitor = RunMonitor(run.path)
    for epoch in (1, 2, 3):
        run.append("epoch", 4 * epoch, epoch=epoch, epochs=10, segmentation=1 / epoch)
    assert monitor.poll().epoch == 3
    run.discard_after(4)
    assert monitor.poll().losses["segmentation"] == ([1.0], [1.0])


@pytest.mark.parametrize(
    ("event", "values", "state"),
    [
        ("stop", {"request": "pause"}, RunState.PAUSED),
        ("stop", {"request": "stop"}, RunState.STOPPED),
        ("done", {}, RunState.DONE),
        ("failed", {"message": "loss is not finite", "changes": {}}, RunState.FAILED),
    ],
)
def test_the_last_event_gives_the_state_after_a_process_ended(run, event, values, state):
    run.append("epoch", 4, epoch=1, epochs=10)
    run.append(event, 4, **values)
    status = RunMonitor(run.path).poll()
    assert status.state is state
    assert values.get("message", "") in status.message


def test_a_run_is_starting_until_its_process_writes_an_event(run):
    run.append("stop", 4, request="stop")
    time.sleep(0.01)
    with hold_run_lock(run):
        assert RunMonitor(run.path).poll().state is RunState.STARTING
        run.append("start", 4, steps=40, device="cpu", training=["a"], validation=["b"])
        run.append("progress", 5, steps=40, seconds_left=100, voxels_per_second=2e5)
        status = RunMonitor(run.path).poll()
    assert status.state is RunState.RUNNING
    assert (status.step, status.steps, status.fraction) == (5, 40, 0.125)
    assert 50 < status.seconds_left <= 101
    assert (status.device, status.training, status.validation) == ("cpu", ("a",), ("b",))


def test_a_run_that_takes_longer_than_estimated_does_not_show_that_no_time_is_left(run):
    with hold_run_lock(run):
        run.append("start", 0, steps=40)
        run.append("epoch", 4, epoch=1, epochs=10, seconds_left=0)
        status = RunMonitor(run.path).poll()
    assert (status.state, status.seconds_left) == (RunState.RUNNING, None)


def test_a_resumed_run_shows_neither_time_left_nor_words_of_the_process_before(run):
    run.mark_launch()
    with run.log.open("a") as log:
        log.write("KeyboardInterrupt:\n")
    run.append("start", 0, steps=40)
    run.append("progress", 4, steps=40, seconds_left=100)
    run.append("epoch", 4, epoch=1, epochs=10, seconds_left=90)
    time.sleep(0.01)
    run.mark_launch()
    with hold_run_lock(run):
        status = RunMonitor(run.path).poll()
        assert status.state is RunState.STARTING
        assert status.message == "the training process is being prepared"
        run.append("warning", 4, message="the brain is cut off")
        run.append("start", 4, steps=40)
        status = RunMonitor(run.path).poll()
        assert (status.state, status.seconds_left) == (RunState.RUNNING, None)
        run.append("progress", 5, steps=40, seconds_left=100)
        with run.log.open("a") as log:
            log.write("step 5\n")
        status = RunMonitor(run.path).poll()
        assert status.seconds_left > 50 and status.message == "step 5"


def test_a_process_that_was_killed_before_it_said_anything_did_not_fail_as_the_one_before(run):
    run.append("epoch", 4, epoch=1, epochs=10)
    run.log.write_text("MemoryError: no memory\n")
    assert RunMonitor(run.path).poll().message.startswith("MemoryError")
    run.mark_launch()
    assert "killed" in RunMonitor(run.path).poll().message


def test_a_run_on_another_machine_is_live_while_its_heartbeat_is_recent(run, monkeypatch):
    monkeypatch.setattr(run_lock.socket, "gethostname", lambda: "cluster7")
    run_lock.write_lock_holder(run, 1)
    monkeypatch.undo()
    run.append("start", 0, steps=40)
    status = RunMonitor(run.path).poll()
    assert (status.state, status.host) == (RunState.RUNNING, "cluster7")
    long_ago = time.time() - 3600
    os.utime(run.process, (long_ago, long_ago))
    assert RunMonitor(run.path).poll().state is RunState.FAILED


def test_a_run_that_ended_without_an_event_reports_its_log_or_a_kill(run):
    run.append("epoch", 4, epoch=1, epochs=10)
    assert "killed" in RunMonitor(run.path).poll().message
    run.log.write_text("smalltumor: warning: case_00: the brain is cut off\n")
    assert "killed" in RunMonitor(run.path).poll().message
    for last, text in (
        ("smalltumor: disk is full; make room", "disk is full; make room"),
        ("ModuleNotFoundError: No module named 'torch'", "ModuleNotFoundError: No module"),
    ):
        run.log.write_text(f"epoch 1/10\n{last}\n\n")
        status = RunMonitor(run.path).poll()
        assert status.state is RunState.FAILED
        assert status.message.startswith(text)


def test_a_folder_without_a_run_and_damaged_files_are_no_run(tmp_path, run):
    assert RunMonitor(tmp_path / "nothing").poll().state is RunState.NONE
    run.events.write_bytes(b'\xff\xfe{"event"\n[1]\n{"event": "epoch"}\n')
    run.process.write_text("[]")
    assert RunMonitor(run.path).poll().state is RunState.NONE


@pytest.mark.parametrize("config", ["{", "[]", '{"training": 3}', "\xff"])
def test_a_run_with_a_damaged_configuration_has_failed_and_says_so(run, config):
    run.append("stop", 4, request="pause")
    run.config.write_bytes(config.encode("latin-1"))
    monitor = RunMonitor(run.path)
    for _ in range(2):
        status = monitor.poll()
        assert (status.state, "config.json" in status.message) == (RunState.FAILED, True)
    run.write_config({"training": {"epochs": 10}})
    assert monitor.poll().state is RunState.PAUSED


def test_a_configuration_that_cannot_be_reached_is_not_taken_for_none(run, monkeypatch):
    run.append("stop", 4, request="pause")
    let_drive_fail(monkeypatch, run.config)
    assert "config.json" in RunMonitor(run.path).poll().message


def test_the_comparison_is_between_the_start_and_the_best_since(run):
    run.write_config({"origin": {"started_from_trained_on": ["b", "c"]}})
    for epoch, scores in ((0, (0.5, 0.7)), (5, (0.8, 0.8)), (10, (0.7, 0.7))):
        run.append("validation", epoch, **validation(epoch, *scores))
    comparison = RunMonitor(run.path).poll().comparison
    assert comparison.after["epoch"] == 5
    assert comparison.difference == pytest.approx(0.2)
    assert comparison.is_improvement
    assert comparison.seen == ("b",)
    assert comparison.rows()[0][0] == "a"
    assert "0.600 → 0.800 on 2 cases" in comparison.message
    assert comparison.message.startswith("Higher: mean Dice 0.600")
    assert "trained on the patient of b" in comparison.message


def test_the_scores_of_the_final_weights_are_those_of_the_last_validation(run):
    for epoch, score in ((0, 0.5), (5, 0.8), (10, 0.7)):
        run.append("validation", epoch, **validation(epoch, score))
    comparison = RunMonitor(run.path).poll().comparison
    assert comparison.of_last.after["epoch"] == 10
    assert comparison.of_last.difference == pytest.approx(0.2)
    assert "after epoch 10" in comparison.of_last.message


def test_a_run_whose_folder_was_moved_says_so(run):
    run.append("start", 0)
    monitor = RunMonitor(run.path)
    monitor.poll()
    run.path.rename(run.path.with_name("moved"))
    assert "moved, renamed or deleted" in monitor.poll().message


def test_cases_of_patients_whom_the_starting_weights_know_show_no_improvement(run):
    known = {"started_from_trained_on": ["P7_pre", "scan_3"]}
    run.write_config({"origin": known, "patients": {"scan_3": "Q", "scan_4": "Q"}})
    for epoch, score in ((0, 0.97), (5, 0.98)):
        run.append("validation", epoch, **validation(epoch, score, score, names=_OTHER_SCANS))
    comparison = RunMonitor(run.path).poll().comparison
    assert comparison.seen == _OTHER_SCANS
    assert comparison.message == (
        "Higher: mean Dice 0.970 → 0.980 on 2 cases, after epoch 5. The starting weights had been "
        "trained on the patients of P7_post, scan_4, which raises the scores before and after: "
        "they do not tell whether other patients are segmented better."
    )


_OTHER_SCANS = ("P7_post", "scan_4")


@pytest.mark.parametrize(
    ("after", "text"), [(0.4, "Not improved"), (0.502, "Hardly"), (0.5, "Not improved")]
)
def test_training_that_did_not_improve_is_reported_as_such(after, text):
    comparison = RunComparison(validation(0, 0.5), validation(5, after))
    assert not comparison.is_improvement
    assert comparison.message.startswith(text)


@pytest.mark.parametrize(("after", "too_low"), [(0.1, True), (0.59, True), (0.6, False)])
def test_a_network_with_a_low_dice_is_not_recommended_even_if_it_improved(after, too_low):
    message = RunComparison(validation(0, 0.02), validation(5, after)).message
    assert message.startswith("Improved") and ("too low to segment patients" in message) is too_low


def test_each_warning_of_a_run_is_listed_once(run):
    for _ in range(2):  # as when it is resumed
        run.append("warning", 0, case="a", message="is cut off")
        run.append("warning", 0, case="", message="an old pack")
    assert RunMonitor(run.path).poll().warnings == ("a: is cut off", "an old pack")


def test_cases_that_came_and_went_when_the_run_was_resumed_are_named(run):
    monitor = RunMonitor(run.path)
    run.append("start", 0, training=["a", "b"], validation=["v"], left_out=["v_2"])
    status = monitor.poll()
    assert (status.left_out, status.added, status.removed) == (("v_2",), (), ())
    run.append("start", 5, training=["b", "c"], validation=["v"])
    status = monitor.poll()
    assert (status.left_out, status.added, status.removed) == ((), ("c",), ("a",))
    run.append("start", 5, training=["b", "c"], validation=["v"])
    status = monitor.poll()
    assert (status.added, status.removed) == ((), ())


def test_the_best_weights_are_those_at_the_start_until_a_validation_is_better(run):
    monitor = RunMonitor(run.path)
    assert not monitor.poll().best_is_start  # no starting weights have been validated
    for epoch, score, is_start in ((0, 0.5, True), (1, 0.4, True), (2, 0.5, True), (3, 0.6, False)):
        run.append("validation", epoch, **validation(epoch, score))
        assert monitor.poll().best_is_start is is_start
    run.append("validation", 4, **validation(4, 0.3))
    assert not monitor.poll().best_is_start


def test_a_run_from_random_weights_has_best_weights_of_its_own(run):
    run.append("validation", 5, **validation(5, 0.1))
    assert not RunMonitor(run.path).poll().best_is_start


def test_small_lesions_that_score_worse_are_reported():
    before, after = (validation(0, 0.5) | {"small_lesions": 0.4}, validation(5, 0.7))
    assert "Small" not in RunComparison(before, after).message
    assert (
        "Small lesions: 0.40 → 0.33."
        in RunComparison(before, after | {"small_lesions": 0.33}).message
    )


def test_a_stop_request_is_read_and_then_removed(run):
    run.request_stop(StopRequest.PAUSE)
    assert run.read_stop_request() is StopRequest.PAUSE
    with hold_run_lock(run):
        assert run.read_stop_request() is None


@pytest.mark.parametrize("computing", ["add", "comparison"])
@pytest.mark.parametrize("fault", [KeyError, TypeError, AttributeError])
def test_a_fault_of_the_program_is_not_told_as_damaged_files(run, monkeypatch, computing, fault):
    def fail(*_: object) -> None:
        raise fault("a name of the program")

    run.append("validation", 4, **validation(1, 0.5))
    monkeypatch.setattr(RunHistory, computing, fail)
    with pytest.raises(fault):
        RunMonitor(run.path).poll()


def test_a_loss_that_is_no_number_hides_no_epoch(run):
    run.append("epoch", 4, epoch=1, epochs=10, segmentation=0.8)
    run.append("epoch", 8, epoch=2, epochs=10, segmentation=float("nan"), reconstruction=0.1)
    status = RunMonitor(run.path).poll()
    assert (status.epoch, status.step) == (2, 8)
    assert status.losses["segmentation"] == ([1.0], [0.8])
    assert status.losses["reconstruction"] == ([2.0], [0.1])


def test_an_event_with_other_values_is_passed_over_as_a_whole(run):
    run.append("validation", 0, **validation(0, 0.5))
    run.append("start", 4, training=["a"])
    run.append("validation", 8, **{**validation(1, 0.9), "by_case": [{"case": "a"}]})
    run.append("start", 9, training="all")
    run.append("warning", 9)
    status = RunMonitor(run.path).poll()
    assert (status.step, status.training, status.comparison) == (4, ("a",), None)
    assert status.scores["et"] == ([0.0], [0.5])
