"""Whole runs on made lesions: they learn, stop, resume, and say what is wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from lesions_to_learn import QUICK, write_lesion_cases
from safetensors.numpy import load_file
from smalltumor.checkpoint import load_checkpoint
from smalltumor.errors import OutputError, TrainingError, TrainingMemoryError
from smalltumor.network import MultiTaskNetwork
from smalltumor.training import loop, start
from smalltumor.training.current import current_checkpoint
from smalltumor.training.follow import Follower, State
from smalltumor.training.interruption import Interrupted, StopRequests
from smalltumor.training.run_folder import RunFolder
from smalltumor.training.start import TrainingRequest, train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_lesion_cases(tmp_path_factory.mktemp("data") / "cases", 4)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(start, "PRESETS", {"paper": QUICK, "finetune": QUICK})


def request_for(data: Path, run: Path, **changed) -> TrainingRequest:
    settings = {"validation": data / "made_00", "cache": data.parent / "cache", "device": "cpu"}
    return TrainingRequest(data, run, **(settings | changed))


def silent(line: str) -> None:
    pass


def events(run: Path, kind: str) -> list[dict]:
    return [e for e in RunFolder(run).read_events() if e["event"] == kind]


def weights(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / "last.safetensors")


def test_a_narrow_network_learns_lesions_it_has_not_seen(data, tmp_path):
    changes = {"epochs": 36, "validate_every": 12, "crops_per_case": 4}
    assert train(request_for(data, tmp_path / "run", changes=changes), silent)
    scores = events(tmp_path / "run", "validation")
    assert scores[-1]["cases"] == 1
    assert scores[-1]["wt"] > 0.8
    assert scores[-1]["et"] > 0.5
    card = load_checkpoint(tmp_path / "run" / "best.safetensors").card
    assert card["trained_on"] == ["made_01", "made_02", "made_03"]
    assert card["scores"]["validation"]["wt"] > 0.8


def test_a_run_stopped_at_any_step_goes_on_as_if_it_had_not(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "whole"), silent)
    steps = len(weights(tmp_path / "whole")) and events(tmp_path / "whole", "done")[0]["step"]
    for _ in range(steps + 1):  # one step a sitting
        answers = iter([True])
        monkeypatch.setattr(start, "stop_requests", lambda run, a=answers: stop_after(a))
        if train(request_for(data, tmp_path / "bits", resume=True), silent):
            break
    assert events(tmp_path / "bits", "done")[0]["step"] == steps
    whole, bits = weights(tmp_path / "whole"), weights(tmp_path / "bits")
    assert whole.keys() == bits.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(array, bits[name], err_msg=name)


class stop_after:  # noqa: N801 - takes a function's place
    wish = None

    def __init__(self, answers):
        self.answers = answers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __call__(self):
        return next(self.answers, False)

    def hurry(self):
        return False


COMMAND = """
import sys
sys.path[:0] = {path!r}
import torch
torch.set_num_threads(1)
from pathlib import Path
from lesions_to_learn import QUICK
from smalltumor.training import start
from dataclasses import replace
start.PRESETS = {{"paper": replace(QUICK, **{settings!r})}}
print("ready", flush=True)
data = Path({data!r})
request = start.TrainingRequest(
    data, Path({run!r}), validation=data / "made_00", cache=data.parent / "cache",
    device="cpu", resume=True,
)
print("finished" if start.train(request, save_seconds=0) else "stopped", flush=True)
"""


LONG = {"epochs": 12, "validate_every": 3}


def start_run(data: Path, run: Path, *launcher: str, settings=LONG) -> subprocess.Popen:
    code = COMMAND.format(path=PATHS, data=str(data), run=str(run), settings=settings)
    script = run.parent / f"{run.name}.py"
    script.write_text(code)
    command = [sys.executable, *launcher, str(script)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


ROOT = Path(__file__).resolve().parents[3]
PATHS = [str(ROOT / "model"), str(ROOT / "tests")]


def wait_for_step(run: Path, process: subprocess.Popen, step: int) -> None:
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        if any(e["step"] >= step for e in RunFolder(run).read_events()):
            return
        time.sleep(0.02)


def test_a_killed_run_resumes_and_ends_where_an_unbroken_one_does(data, tmp_path):
    rng = np.random.default_rng(0)
    run = tmp_path / "killed"
    for kill in range(3):
        process = start_run(data, run)
        wait_for_step(run, process, 3 * (2 + 3 * kill))
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.communicate()
    output, _ = start_run(data, run).communicate(timeout=300)
    assert "finished" in output
    output, _ = start_run(data, tmp_path / "unbroken").communicate(timeout=300)
    whole, killed = weights(tmp_path / "unbroken"), weights(run)
    for name, array in whole.items():
        np.testing.assert_array_equal(array, killed[name], err_msg=name)
    steps = [e["step"] for e in events(run, "epoch")]
    assert steps == sorted(set(steps))
    assert not list(run.glob("*.part"))
    load_checkpoint(run / "best.safetensors")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_saves_and_says_how_to_go_on(data, tmp_path, number):
    run = tmp_path / "run"
    process = start_run(data, run)
    wait_for_step(run, process, 3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "stopped" in output
    assert f"--run {run} --resume" in output
    assert events(run, "stop")
    assert (run / "last.safetensors").is_file()


def test_two_processes_match_one_on_the_same_batches(data, tmp_path):
    settings = {"epochs": 3, "validate_every": 3, "rate": 1e-4, "warmup": 0}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    pair = start_run(data, tmp_path / "two", *launcher, settings=settings)
    one = start_run(data, tmp_path / "one", settings=settings)
    assert "finished" in one.communicate(timeout=300)[0]
    assert "finished" in pair.communicate(timeout=300)[0]
    for part in ("loss", "segmentation", "reconstruction"):
        alone, shared = (
            [e[part] for e in events(tmp_path / name, "epoch")] for name in ("one", "two")
        )
        # Sums in another order differ in the last bits, and training lets them grow.
        assert shared == pytest.approx(alone, rel=2e-3), part
    alone, shared = (weights(tmp_path / name) for name in ("one", "two"))
    for name, array in alone.items():
        if name.endswith("running_mean"):
            np.testing.assert_allclose(shared[name], array, atol=0.05, err_msg=name)


def test_a_run_is_not_overwritten(data, tmp_path):
    RunFolder(tmp_path / "run").write_config({"training": QUICK.to_dict()})
    with pytest.raises(TrainingError, match="--resume"):
        train(request_for(data, tmp_path / "run"), silent)


def test_a_damaged_state_is_named_and_not_replaced(data, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": QUICK.to_dict()})
    run.last.write_bytes(b"\x10\0\0\0\0\0\0\0damaged")
    with pytest.raises(TrainingError, match=r"last\.safetensors"):
        train(request_for(data, run.path, resume=True), silent)
    assert run.last.read_bytes().endswith(b"damaged")


def test_a_loss_that_is_not_finite_stops_and_names_step_and_cases(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "run"), silent)
    good = (tmp_path / "run" / "last.safetensors").read_bytes()
    huge = {"rate": 1e30, "epochs": 4, "freeze_norms_at": 1.0, "clip": 0.0}
    with pytest.raises(TrainingError, match=r"not? .*finite at step \d+ \(cases made_0"):
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
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "cpu"),
    ],
)
def test_memory_that_runs_out_says_what_fits_and_the_same_step_goes_on(
    data, tmp_path, monkeypatch, error, device_words
):
    run = tmp_path / "run"
    forward, calls = MultiTaskNetwork.outputs, iter(range(100))

    def too_large(self, *args, **options):
        if next(calls) == 1:
            raise error
        return forward(self, *args, **options)

    monkeypatch.setattr(MultiTaskNetwork, "outputs", too_large)
    with pytest.raises(TrainingMemoryError, match=rf"{device_words} at step 1 for 2 crops") as told:
        train(request_for(data, run), silent)
    assert told.value.changes == {"batch": 1}
    status = Follower(run).look()
    assert (status.state, status.changes) == (State.FAILED, {"batch": 1})
    assert train(request_for(data, run, resume=True, changes={"batch": 1}), silent)
    done = events(run, "done")
    assert done[0]["step"] == 2 * 3  # epochs are counted on as they were planned
    assert RunFolder(run).read_config()["training"]["batch"] == 1
    assert [e["step"] for e in events(run, "start")] == [0, 1]


def test_a_device_that_has_gone_is_told_in_words(data, tmp_path, monkeypatch):
    def gone(*args, **options):
        raise RuntimeError(
            "CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"
        )

    monkeypatch.setattr(MultiTaskNetwork, "outputs", gone)
    with pytest.raises(TrainingError, match=r"has failed \(CUDA error: unspecified.*--resume"):
        train(request_for(data, tmp_path / "run"), silent)
    assert "unspecified launch failure" in Follower(tmp_path / "run").look().words


def test_a_long_step_is_given_up_and_done_again(data, tmp_path, monkeypatch):
    train(request_for(data, tmp_path / "whole"), silent)
    run, hurry = tmp_path / "bits", iter([False] * 120 + [True])
    monkeypatch.setattr(StopRequests, "hurry", lambda self: next(hurry, False))
    assert not train(request_for(data, run), silent)
    stopped = events(run, "stop")[0]["step"]
    assert stopped < events(tmp_path / "whole", "done")[0]["step"]
    assert train(request_for(data, run, resume=True), silent)
    whole, bits = weights(tmp_path / "whole"), weights(run)
    for name, array in whole.items():
        np.testing.assert_array_equal(array, bits[name], err_msg=name)


def test_a_validation_that_was_given_up_is_made_up_for(data, tmp_path, monkeypatch):
    run = tmp_path / "run"
    scored = loop.score_cases

    def given_up(*args):
        raise Interrupted

    monkeypatch.setattr(loop, "score_cases", given_up)
    assert not train(request_for(data, run), silent)
    monkeypatch.setattr(loop, "score_cases", scored)
    assert train(request_for(data, run, resume=True), silent)
    assert [e["epoch"] for e in events(run, "validation")] == [2]


def test_a_run_ended_before_its_first_step_keeps_its_start_and_the_card_its_origin(data, tmp_path):
    train(request_for(data, tmp_path / "first"), silent)
    best = tmp_path / "first" / "best.safetensors"
    tuned = request_for(data, tmp_path / "second", preset="finetune", weights=best)
    train(tuned, silent)
    (tmp_path / "second" / "last.safetensors").unlink()
    train(request_for(data, tmp_path / "second", resume=True, changes={"rate": 0.0}), silent)
    start_score, later = events(tmp_path / "second", "validation")
    assert start_score["epoch"] == 0
    assert later["score"] == pytest.approx(start_score["score"], abs=0.02)
    card = current_checkpoint(tmp_path / "second").card
    assert card["step"] == later["step"]
    origin = RunFolder(tmp_path / "second").read_config()["origin"]
    assert origin["started_from"] == "first"
    assert origin["started_from_trained_on"] == ["made_01", "made_02", "made_03"]


def test_each_epoch_says_what_a_watcher_wants_to_know(data, tmp_path):
    train(request_for(data, tmp_path / "run"), silent)
    epoch = events(tmp_path / "run", "epoch")[-1]
    assert epoch["segmentation_weight"] == 1.0
    assert epoch["reconstruction_weight"] == 0.05
    assert min(epoch[n] for n in ("voxels_per_second", "peak_memory", "stem_rms")) > 0
    status = Follower(tmp_path / "run").look()
    assert (status.state, status.fraction, status.epochs) == (State.DONE, 1.0, 2)
    assert status.losses["segmentation"][0] == [1.0, 2.0]
    assert status.validation == ("made_00",)


def test_fine_tuning_starts_from_weights_with_their_size_and_statistics(data, tmp_path):
    train(request_for(data, tmp_path / "first"), silent)
    best = tmp_path / "first" / "best.safetensors"
    first = load_checkpoint(best).tensors()
    changes = {"rate": 0.0, "freeze_norms_at": 0.0, "weight_decay": 0.0, "freeze_encoder": True}
    tuned = request_for(data, tmp_path / "second", preset="finetune", weights=best, changes=changes)
    train(tuned, silent)
    second = load_checkpoint(tmp_path / "second" / "best.safetensors").tensors()
    for name, array in first.items():
        np.testing.assert_allclose(second[name], array, atol=1e-6, err_msg=name)


def test_a_frozen_encoder_does_not_learn_and_the_decoders_do(data, tmp_path):
    changes = {"freeze_encoder": True, "epochs": 1, "weight_decay": 0.1}
    trainer_state = {}
    for epochs in (1, 2):
        run = tmp_path / str(epochs)
        train(request_for(data, run, changes=changes | {"epochs": epochs}), silent)
        trainer_state[epochs] = weights(run)
    stem = "network.stem.weight"
    np.testing.assert_array_equal(trainer_state[1][stem], trainer_state[2][stem])
    head = "network.head.weight"
    assert (trainer_state[1][head] != trainer_state[2][head]).any()


def test_held_out_folds_are_validated_on_and_never_learnt_from(data, tmp_path):
    changes = {"folds": 2, "fold": 1, "epochs": 1}
    train(request_for(data, tmp_path / "run", validation=None, changes=changes), silent)
    (score,) = events(tmp_path / "run", "validation")
    assert [case["case"] for case in score["by_case"]] == ["made_01", "made_03"]
    card = load_checkpoint(tmp_path / "run" / "best.safetensors").card
    assert card["trained_on"] == ["made_00", "made_02"]


def test_the_baseline_leaves_the_u_modules_as_they_started(data, tmp_path):
    train(request_for(data, tmp_path / "run", changes={"reconstruction": False}), silent)
    assert all("reconstruction" not in e for e in events(tmp_path / "run", "epoch"))


def test_a_batch_that_processes_cannot_share_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    from smalltumor.training.loop import Trainer, TrainingCases
    from smalltumor.training.processes import Processes

    processes = Processes(0, 3, torch.device("cpu"))
    with pytest.raises(TrainingError, match="cannot be shared by 3 processes"):
        Trainer(QUICK, TrainingCases([]), RunFolder(tmp_path), processes, {})


def test_a_device_that_is_not_there_is_named(data, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(TrainingError, match=r"cuda.*--device cpu"):
        train(request_for(data, tmp_path / "run", device="cuda"), silent)
    assert not (tmp_path / "run").exists()
