"""From a folder of cases and a few choices to a finished run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from smalltumor.checkpoint import Checkpoint, load_checkpoint
from smalltumor.dataset import labelled_cases, prepare_cases
from smalltumor.errors import TrainingError
from smalltumor.naming import CaseFiles
from smalltumor.training.config import PRESETS, TrainingConfig
from smalltumor.training.loop import Report, Trainer, TrainingCases
from smalltumor.training.memory import keep_freed_memory
from smalltumor.training.processes import Processes, joined_processes
from smalltumor.training.run_folder import RunFolder


@dataclass(frozen=True)
class TrainingRequest:
    """What a user asks for.

    Parameters
    ----------
    data : Path
        Folder of cases with segmentations.
    run : Path
        The run folder.
    preset : str
        One of `PRESETS`.
    changes : dict
        Fields of `TrainingConfig` that differ from the preset.
    weights : Path, optional
        Checkpoint to start from; its size and preprocessing are taken.
    validation : Path, optional
        Folder of cases to validate on, left out of training by name.
    cache : Path, optional
        Folder of prepared volumes; by default ``cache`` in the run folder.
    card : Path, optional
        JSON table of facts for the model card of the networks written.
    device : str
    resume : bool
        Go on with the run that is there.
    """

    data: Path
    run: Path
    preset: str = "paper"
    changes: dict[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    validation: Path | None = None
    cache: Path | None = None
    card: Path | None = None
    device: str = "auto"
    resume: bool = False


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
    request = _as_before(request, run)
    config, start = _settings(request, run)
    with joined_processes(request.device) as processes, _stop_requests() as stopped:
        say: Report = report if processes.writes else _silent
        if processes.device.type == "cpu":
            keep_freed_memory()
        chosen = _choose(request, config)
        if processes.writes and not (request.resume and run.config.is_file()):
            run.write_config(_record(request, config))
        cases = _prepare(request, config, chosen, run, processes, say)
        trainer = Trainer(
            config,
            cases,
            run,
            processes,
            _card(request, cases, start),
            start=start,
            report=say,
            stop=stopped,
            threads=_crop_threads(processes),
            save_seconds=save_seconds,
        )
        if request.resume:
            trainer.resume()
        say(
            f"{len(cases.training)} cases to learn from, {len(cases.validation)} to validate on; "
            f"step {trainer.learner.progress.step} of {trainer.steps} on {processes.device}"
        )
        finished = trainer.train()
        if not finished:
            say(
                f"stopped and saved; go on with: smalltumor train {request.data} "
                f"--run {request.run} --resume"
            )
        return finished


def _as_before(request: TrainingRequest, run: RunFolder) -> TrainingRequest:
    """A resumed run keeps the folders it was started with, unless others are named."""
    if not (request.resume and run.config.is_file()):
        return request
    record = run.read_config()
    validation, cache, card = (
        Path(record[name]) if record.get(name) else None for name in ("validation", "cache", "card")
    )
    return replace(
        request,
        validation=request.validation or validation,
        cache=request.cache or cache,
        card=request.card or card,
    )


def _settings(request: TrainingRequest, run: RunFolder) -> tuple[TrainingConfig, Checkpoint | None]:
    """The run's own configuration when it is resumed, else the preset with its changes."""
    if run.config.is_file():
        if not request.resume:
            raise TrainingError(
                f"{run.path} holds a run already; add --resume to go on with it, "
                "or name another folder"
            )
        config = TrainingConfig.from_dict(run.read_config()["training"])
        return replace(config, **request.changes), None
    config = PRESETS[request.preset]
    start = None
    if request.weights is not None or request.preset == "finetune":
        start = load_checkpoint(request.weights)
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


def _record(request: TrainingRequest, config: TrainingConfig) -> dict[str, Any]:
    return {
        "data": _absolute(request.data),
        "validation": _absolute(request.validation),
        "cache": _absolute(request.cache),
        "card": _absolute(request.card),
        "preset": request.preset,
        "weights": _absolute(request.weights),
        "training": config.to_dict(),
    }


def _absolute(path: Path | None) -> str | None:
    return str(path.resolve()) if path else None


def _card(
    request: TrainingRequest, cases: TrainingCases, start: Checkpoint | None
) -> dict[str, Any]:
    return {
        "name": request.run.resolve().name,
        "trained_on": [case.name for case in cases.training],
        "started_from": start.name if start else "random weights",
        "preset": request.preset,
        "use": "research only; not a medical device, not for diagnosis",
        **_facts(request.card),
    }


def _facts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: the card cannot be read ({error})") from None
    if not isinstance(facts, dict):
        raise TrainingError(f"{path}: a card is a JSON table")
    return facts


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM ask for a stop after the step; a second SIGINT interrupts at once."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _crop_threads(processes: Processes) -> int:
    """A GPU waits for crops unless several are made at once; on a CPU they take its cores."""
    if processes.device.type == "cpu":
        return 1
    return max(1, min(8, (os.cpu_count() or 1) // processes.count - 1))


def _silent(line: str) -> None:
    """Processes other than the first say nothing."""
