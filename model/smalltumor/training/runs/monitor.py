"""Monitor a run through its folder, on whatever machine it runs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_absent, unreachable_as
from smalltumor.training.runs.events import Event, EventReader
from smalltumor.training.runs.history import RunHistory
from smalltumor.training.runs.run_config import RunConfig
from smalltumor.training.runs.run_folder import LAUNCHED, RunFolder, StopRequest
from smalltumor.training.runs.run_lock import LockHolder, is_locked, read_lock_holder
from smalltumor.training.runs.status import RunState, RunStatus

_LOG_BYTES = 4000
_ERROR = re.compile(r"smalltumor: (?!warning: )|[\w.]*(Error|Exception|Interrupt)\b")


class RunMonitor:
    """Reads a run folder repeatedly; of the events, only the new ones are read each time.

    Parameters
    ----------
    path : Path
        The run folder.
    """

    def __init__(self, path: Path) -> None:
        self.run = RunFolder(path)
        self._reader = EventReader(self.run.events)
        self._history = RunHistory()
        self._config = RunConfig()
        self._config_stamp: tuple[int, int] | None = None

    @property
    def data(self) -> Path | None:
        """The training folder, as the run records it; None until it does."""
        return self._config.data

    def poll(self) -> RunStatus:
        """The state of the run now; "failed" if its configuration is damaged or unreachable."""
        try:
            self._read_config()
        except TrainingError as error:
            return RunStatus(RunState.FAILED, str(error))
        self._read_events()
        return self._status()

    def _status(self) -> RunStatus:
        history, holder = self._history, read_lock_holder(self.run)
        state = self._state(holder)
        timing, epoch, start = history.timing, history.newest("epoch"), history.newest("start")
        left = _seconds_left(timing, holder) if state is RunState.RUNNING else None
        return RunStatus(
            state=state,
            message=self._message(state),
            epoch=epoch.get("epoch", 0),
            epochs=self._config.epochs or epoch.get("epochs", 0),  # the first is newer
            step=history.last.get("step", 0),
            steps=start.get("steps") or timing.get("steps", 0),
            seconds_left=left,
            voxels_per_second=timing.get("voxels_per_second"),
            peak_memory=epoch.get("peak_memory"),
            device=start.get("device", ""),
            host=holder.host if holder and not holder.is_local else "",
            training=tuple(start.get("training", ())),
            validation=tuple(start.get("validation", ())) or self._validated_cases(),
            left_out=tuple(start.get("left_out", ())),
            added=history.added,
            removed=history.removed,
            best_is_start=history.best_is_start,
            losses=history.losses,
            scores=history.scores,
            comparison=history.comparison(self._config),
            warnings=history.warnings,
            changes=dict(history.end.get("changes", {})),
        )

    def log_tail(self) -> list[str]:
        """The last lines that the process printed, without those of an earlier process."""
        try:
            with self.run.log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _LOG_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        lines = [line for line in text.splitlines() if line.strip()]
        launches = [number for number, line in enumerate(lines, 1) if line.startswith(LAUNCHED)]
        return lines[launches[-1] :] if launches else lines

    def _read_config(self) -> None:
        if is_absent(self.run.config):  # not written yet
            return
        with unreachable_as(TrainingError):
            status = self.run.config.stat()
        stamp = status.st_mtime_ns, status.st_ino
        if stamp == self._config_stamp:
            return
        values = self.run.read_config()
        try:
            self._config, self._config_stamp = RunConfig.from_dict(values), stamp
        except DAMAGED as error:
            raise TrainingError(f"{self.run.config} is damaged ({error!r})") from error

    def _read_events(self) -> None:
        events, replaced = self._reader.poll()
        if replaced:
            self._history = RunHistory()
        for event in events:
            self._history.add(event)

    def _state(self, holder: LockHolder | None) -> RunState:
        last, end = self._history.last, self._history.end
        if end and (holder is None or holder.since <= end["time"]):
            return _state_after(end)
        if is_locked(self.run):
            has_started = last and holder is not None and last["time"] >= holder.since
            return RunState.RUNNING if has_started else RunState.STARTING
        if holder is None and not last:
            return RunState.FAILED if self.log_tail() else RunState.NONE
        return RunState.FAILED

    def _message(self, state: RunState) -> str:
        tail = self.log_tail()
        if state.is_live:
            return tail[-1] if tail else "the training process is being prepared"
        if state is RunState.FAILED:
            return self._failure(tail)
        return {
            RunState.NONE: "no run in this folder",
            RunState.PAUSED: "paused; its state is saved",
            RunState.STOPPED: "stopped; its state is saved",
            RunState.DONE: "done"
            if self._is_complete()
            else "done early: the score did not improve",
        }[state]

    def _is_complete(self) -> bool:
        last = self._history.newest("epoch")
        return bool(last.get("epoch", 0) >= last.get("epochs", 0))

    def _failure(self, tail: list[str]) -> str:
        end = self._history.end
        if "message" in end:
            return str(end["message"])
        if is_absent(self.run.path):
            return "the folder of the run was moved, renamed or deleted"
        if tail and _ERROR.match(tail[-1]):
            return tail[-1].removeprefix("smalltumor: ")
        remedy = "; resume it from its last saved state" if self.run.last.is_file() else ""
        return (
            "the process ended without a message, as when it is killed or the machine runs out of "
            f"memory{remedy}"
        )

    def _validated_cases(self) -> tuple[str, ...]:
        return tuple(s["case"] for s in self._history.newest("validation").get("by_case", ()))


def _seconds_left(timing: Event, holder: LockHolder | None) -> float | None:
    """Time left of the process that trains; of an earlier one, it says nothing about this one.

    None as soon as the run takes longer than was estimated.
    """
    left = timing.get("seconds_left")
    if left is None or holder is None or timing["time"] < holder.since:
        return None
    now = float(left) - (time.time() - float(timing["time"]))
    return now if now >= 1 else None


def _state_after(end: dict[str, Any]) -> RunState:
    if end["event"] == "stop":
        return RunState.PAUSED if end.get("request") == StopRequest.PAUSE else RunState.STOPPED
    return RunState.DONE if end["event"] == "done" else RunState.FAILED
