"""How a run stands, read from its folder: for whoever watches it, on whatever machine it runs."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import is_locked, read_lock_holder

_LOG_BYTES = 4000
_ERROR = re.compile(r"smalltumor: |[\w.]*(Error|Exception|Interrupt)\b")
_ENDS = ("stop", "done", "failed")
_LOSSES = ("segmentation", "reconstruction", "segmentation_weight", "reconstruction_weight")
_SCORES = ("et", "tc", "wt", "small_lesions")


class State(StrEnum):
    """What a run is doing."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_live(self) -> bool:
        """Whether a process is at work."""
        return self in (State.STARTING, State.RUNNING)


Curve = tuple[list[float], list[float]]
"""Epochs, and a value for each."""


@dataclass(frozen=True)
class RunStatus:
    """A run at one moment.

    Parameters
    ----------
    state : State
    message : str
        The state for people, in a sentence.
    epoch, epochs, step, steps : int
        Done and planned; 0 as long as they are not known.
    seconds_left : float or None
    voxels_per_second : float or None
    peak_memory : int or None
        Bytes.
    stem_rms : float or None
    device, host : str
        Empty if not known.
    training, validation : tuple of str
        Names of cases.
    losses : dict of str to Curve
        ``segmentation``, ``reconstruction`` and their ``..._weight``.
    scores : dict of str to Curve
        Validation Dice: ``et``, ``tc``, ``wt``, ``small_lesions``.
    comparison : RunComparison or None
        Once the start and a later state have been judged.
    changes : dict of str to int
        Settings with which a run that ran out of memory may go on.
    """

    state: State = State.NONE
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    voxels_per_second: float | None = None
    peak_memory: int | None = None
    stem_rms: float | None = None
    device: str = ""
    host: str = ""
    training: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    losses: dict[str, Curve] = field(default_factory=dict)
    scores: dict[str, Curve] = field(default_factory=dict)
    comparison: RunComparison | None = None
    changes: dict[str, int] = field(default_factory=dict)

    @property
    def fraction(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.state is State.DONE:
            return 1.0
        return min(1.0, self.step / self.steps) if self.steps else 0.0


class RunMonitor:
    """Reads a run folder again and again, and of its events only what is new.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.run = RunFolder(path)
        self._forget()

    def poll(self) -> RunStatus:
        """How the run stands now."""
        self._read_config()
        self._read_events()
        state = self._state()
        occupant = read_lock_holder(self.run)
        pace, epoch, start = (self._newest(n) for n in (("epoch", "progress"), "epoch", "start"))
        step = self._events[-1]["step"] if self._events else 0
        epochs = self._training.get("epochs", epoch.get("epochs", 0))
        left = pace.get("seconds_left")
        if left is not None and state is State.RUNNING:
            left = max(0.0, left - (time.time() - pace["time"]))
        return RunStatus(
            state=state,
            message=self._words(state),
            epoch=epoch.get("epoch", 0),
            epochs=epochs,
            step=step,
            steps=start.get("steps", pace.get("steps", 0)) or self._guessed_steps(epoch, epochs),
            seconds_left=left if state is State.RUNNING else None,
            voxels_per_second=pace.get("voxels_per_second"),
            peak_memory=epoch.get("peak_memory"),
            stem_rms=epoch.get("stem_rms"),
            device=start.get("device", ""),
            host=occupant.host if occupant and not occupant.is_here else "",
            training=tuple(start.get("training", ())),
            validation=tuple(start.get("validation", ())) or self._judged(),
            losses={name: self._curve("epoch", name) for name in _LOSSES},
            scores={name: self._curve("validation", name) for name in _SCORES},
            comparison=self._gain(),
            changes=dict(self._last_end().get("changes", {})),
        )

    def log_tail(self) -> list[str]:
        """The last lines that the process printed."""
        try:
            with self.run.log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _LOG_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()]

    def _forget(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._offset, self._file = 0, 0
        self._training: dict[str, Any] = {}
        self._origin: dict[str, Any] = {}
        self._config_time = 0.0

    def _read_config(self) -> None:
        try:
            changed = self.run.config.stat().st_mtime
            if changed != self._config_time:
                config = self.run.read_config()
                self._training = config.get("training") or {}
                self._origin = config.get("origin") or {}
                self._config_time = changed
        except (OSError, TrainingError):  # not there yet
            pass

    def _read_events(self) -> None:
        """Read on; from the beginning if the file was replaced, as a resumed run does."""
        try:
            with self.run.events.open("rb") as file:
                status = self.run.events.stat()
                if status.st_ino != self._file or status.st_size < self._offset:
                    self._events, self._offset, self._file = [], 0, status.st_ino
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except OSError:
            return
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:  # cut by a kill
                continue
            if isinstance(event, dict) and {"event", "step", "time"} <= event.keys():
                self._events.append(event)

    def _state(self) -> State:
        last = self._events[-1] if self._events else {}
        end = self._last_end()
        occupant = read_lock_holder(self.run)
        if end and (occupant is None or occupant.since <= end["time"]):
            return self._ended(end)
        if is_locked(self.run):
            begun = last and occupant is not None and last["time"] >= occupant.since
            return State.RUNNING if begun else State.STARTING
        if occupant is None and not self._events:
            return State.FAILED if self.log_tail() else State.NONE
        return State.FAILED

    def _ended(self, end: dict[str, Any]) -> State:
        if end["event"] == "stop":
            return State.PAUSED if end.get("wish") == StopRequest.PAUSE else State.STOPPED
        return State.DONE if end["event"] == "done" else State.FAILED

    def _last_end(self) -> dict[str, Any]:
        """The event that ended the last sitting, if one did."""
        last = self._events[-1] if self._events else {}
        return last if last.get("event") in _ENDS else {}

    def _words(self, state: State) -> str:
        tail = self.log_tail()
        if state.is_live:
            return tail[-1] if tail else "starting"
        if state is State.FAILED:
            return self._failure(tail)
        return {
            State.NONE: "no run in this folder",
            State.PAUSED: "paused; its state is saved",
            State.STOPPED: "stopped; its state is saved",
            State.DONE: "done" if self._was_long_enough() else "done early: no better for a while",
        }[state]

    def _was_long_enough(self) -> bool:
        last = self._newest("epoch")
        return bool(last.get("epoch", 0) >= last.get("epochs", 0))

    def _failure(self, tail: list[str]) -> str:
        end = self._last_end()
        if "message" in end:
            return str(end["message"])
        if tail and _ERROR.match(tail[-1]):
            return tail[-1].removeprefix("smalltumor: ")
        way = "; resume it from its last saved state" if self.run.last.is_file() else ""
        return (
            "the process has ended without a word, as one does that is killed or for which the "
            f"machine had no memory left{way}"
        )

    def _newest(self, names: str | tuple[str, ...]) -> dict[str, Any]:
        wanted = (names,) if isinstance(names, str) else names
        return next((e for e in reversed(self._events) if e["event"] in wanted), {})

    def _curve(self, event: str, name: str) -> Curve:
        points = [
            (float(e["epoch"]), float(e[name]))
            for e in self._events
            if e["event"] == event and "epoch" in e and e.get(name) is not None
        ]
        return [x for x, _ in points], [y for _, y in points]

    def _guessed_steps(self, epoch: dict[str, Any], epochs: int) -> int:
        """For runs of earlier versions, which did not say."""
        done = epoch.get("epoch", 0)
        return int(epoch["step"] / done * epochs) if done else 0

    def _judged(self) -> tuple[str, ...]:
        return tuple(s["case"] for s in self._newest("validation").get("by_case", ()))

    def _gain(self) -> RunComparison | None:
        judged = [e for e in self._events if e["event"] == "validation"]
        before = next((e for e in judged if e["epoch"] == 0), None)
        later = [e for e in judged if e["epoch"] > 0]
        if before is None or not later:
            return None
        known = self._origin.get("started_from_trained_on", ())
        if isinstance(known, str):  # a card may say it in a sentence
            known = re.split(r"[^\w.-]+", known)
        seen = [s["case"] for s in before["by_case"] if s["case"] in known]
        return RunComparison(before, max(later, key=lambda e: float(e["score"])), tuple(seen))
