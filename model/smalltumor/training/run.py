"""From a folder of cases and a few choices to a finished run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from smalltumor.data.case_files import CaseFiles
from smalltumor.errors import OutputError, SmalltumorError, TrainingError, TrainingMemoryError
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.config import PRESETS, TrainingConfig
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.distributed import Processes, joined_processes
from smalltumor.training.memory import keep_freed_memory
from smalltumor.training.request import TrainingRequest
from smalltumor.training.run_record import model_card, run_record
from smalltumor.training.runs.run_folder import RunFolder, Wish
from smalltumor.training.runs.run_lock import occupied
from smalltumor.training.stopping import stop_requests
from smalltumor.training.trainer import Report, Trainer, TrainingCases


def train(request: TrainingRequest, report: Report = print, *, save_seconds: float = 60.0) -> bool:
    """Start or resume a run and stay until it is done or asked to stop.

    Under ``torchrun`` every process calls this with the same request.

    Parameters
    ----------
    request : TrainingRequest
    report : callable
        Takes one line for a person; called in process 0 only.
    save_seconds : float
        Least time between two saved states.

    Returns
    -------
    bool
        False if it was stopped (SIGINT, SIGTERM) and can be resumed.

    Raises
    ------
    TrainingError, CheckpointError, OutputError
    """
    run = RunFolder(request.run)
    before = _before(request, run)
    request = _as_before(request, before)
    config, start = _settings(request, before)
    with joined_processes(request.device) as processes:
        say: Report = report if processes.writes else _silent
        if processes.device.type == "cpu":
            keep_freed_memory()
        chosen = _choose(request, config)
        record = run_record(request, config, before, start, len(chosen[0]))
        with _held(run, processes):
            if processes.writes:
                run.write_config(record)
            cases = _prepare(request, config, chosen, run, processes, say)
            with stop_requests(run) as requests:
                trainer = Trainer(
                    config,
                    cases,
                    run,
                    processes,
                    model_card(request, cases, record["origin"]),
                    start=start,
                    report=say,
                    stop=requests,
                    hurry=requests.hurry,
                    threads=_crop_threads(processes),
                    save_seconds=save_seconds,
                    epoch_steps=record["steps_per_epoch"],
                )
                finished = _run(trainer, request, say)
                if not finished and processes.writes:
                    wish = requests.wish or Wish.STOP
                    run.append("stop", trainer.learner.progress.step, wish=wish.value)
    if not finished:
        say(
            f"stopped and saved; go on with: smalltumor train {request.data} "
            f"--run {request.run} --resume"
        )
    return finished


def _run(trainer: Trainer, request: TrainingRequest, say: Report) -> bool:
    cases = trainer.cases
    if request.resume:
        trainer.resume()
    step = trainer.learner.progress.step
    if trainer.processes.writes:
        trainer.run.append(
            "start",
            step,
            steps=trainer.steps,
            device=str(trainer.processes.device),
            training=[case.name for case in cases.training],
            validation=[case.name for case in cases.validation],
        )
    say(
        f"{len(cases.training)} cases to learn from, {len(cases.validation)} to validate on; "
        f"step {step} of {trainer.steps} on {trainer.processes.device}"
    )
    return trainer.train()


@contextmanager
def _held(run: RunFolder, processes: Processes) -> Iterator[None]:
    """The run folder is this process's own, and what ends the run is said in its events."""
    if not processes.writes:
        yield
        return
    run.create()
    with occupied(run):
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            with suppress(OutputError):  # the disk may be what is full
                _note_end(run, error)
            raise


def _note_end(run: RunFolder, error: BaseException) -> None:
    step = max((e["step"] for e in run.read_events()), default=0)
    if isinstance(error, KeyboardInterrupt):
        run.append("stop", step, wish=(run.wish() or Wish.STOP).value)
        return
    words = str(error) if isinstance(error, SmalltumorError) else f"{type(error).__name__}: {error}"
    changes = error.changes if isinstance(error, TrainingMemoryError) else {}
    run.append("failed", step, message=" ".join(words.split())[:500], changes=changes)


def _before(request: TrainingRequest, run: RunFolder) -> dict[str, Any] | None:
    """The record of the run that is there and shall go on."""
    if not run.config.is_file():
        return None
    if not request.resume:
        raise TrainingError(
            f"{run.path} holds a run already; add --resume to go on with it, or name another folder"
        )
    return run.read_config() | {"begun": run.last.is_file()}


def _as_before(request: TrainingRequest, before: dict[str, Any] | None) -> TrainingRequest:
    """A resumed run keeps what it was started with, unless something else is named."""
    if before is None:
        return request
    validation, cache, card, weights = (
        Path(before[name]) if before.get(name) else None
        for name in ("validation", "cache", "card", "weights")
    )
    device = request.device if request.device != "auto" else before.get("device", "auto")
    return replace(
        request,
        preset=before.get("preset", request.preset),
        weights=weights,
        device=device,
        validation=request.validation or validation,
        cache=request.cache or cache,
        card=request.card or card,
    )


def _settings(
    request: TrainingRequest, before: dict[str, Any] | None
) -> tuple[TrainingConfig, Checkpoint | None]:
    """The run's own configuration when it is resumed, else the preset's; with the changes.

    The weights to start from are read unless the run has a state of its own to go on from.
    """
    begun = before is not None and before["begun"]
    start = None
    if not begun and (request.weights is not None or request.preset == "finetune"):
        start = load_checkpoint(request.weights)
    if before is not None:
        config = TrainingConfig.from_dict(before["training"])
    else:
        config = PRESETS[request.preset]
        if start is not None:
            config = replace(config, network=start.config, preprocessing=start.preprocessing)
    return replace(config, **request.changes), start


def _choose(
    request: TrainingRequest, config: TrainingConfig
) -> tuple[Sequence[CaseFiles], Sequence[CaseFiles]]:
    held_out = labelled_cases(request.validation) if request.validation else []
    names = {case.name for case in held_out}
    cases = labelled_cases(request.data, exclude=names)
    if config.folds:
        held_out = [*held_out, *cases[config.fold :: config.folds]]
        names = {case.name for case in held_out}
        cases = [case for case in cases if case.name not in names]
    return cases, held_out


def _prepare(
    request: TrainingRequest,
    config: TrainingConfig,
    chosen: tuple[Sequence[CaseFiles], Sequence[CaseFiles]],
    run: RunFolder,
    processes: Processes,
    say: Report,
) -> TrainingCases:
    cache = request.cache or run.path / "cache"
    if not processes.writes:  # process 0 prepares, the others find it done
        processes.wait()
    say(f"preparing {sum(map(len, chosen))} cases in {cache}")
    training, validation = (prepare_cases(c, config.preprocessing, cache) for c in chosen)
    if processes.writes:
        processes.wait()
    return TrainingCases(training, validation)


def _crop_threads(processes: Processes) -> int:
    """A GPU waits for crops unless several are made at once; on a CPU they take its cores."""
    if processes.device.type == "cpu":
        return 1
    return max(1, min(8, (os.cpu_count() or 1) // processes.count - 1))


def _silent(line: str) -> None:
    """Processes other than the first say nothing."""
