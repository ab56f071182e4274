"""A training run on disk: it is started, followed, stopped and resumed through this folder.

``config.json``            the training request, the configuration and the split, see `RunRecord`
``events.jsonl``           one JSON object a line: what has happened so far
``last.safetensors``       everything that is needed to resume
``best.safetensors``       the best network so far, a checkpoint for inference
``best_before_resume*``    a best network that a resume may replace, see `keep_best_after`
``final.safetensors``      the network at the end of a run that is done, whatever its score
``process.json``           which process trains here; its modification time is a heartbeat
``lock``                   held by that process
``request``                the stop request, see `StopRequest`; the process removes it
``training_request.json``  what the process that was launched last should do
``log.txt``                what that process printed, after what earlier ones did
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.files.atomic import write_bytes
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_file
from smalltumor.files.transactions.temporary_files import remove_temporary_files
from smalltumor.training.runs.events import Event, append_event, drop_events_after, read_events

LAUNCHED = "--- launched "
"""How the line in the log begins that is written before a process is launched."""


class StopRequest(StrEnum):
    """How a run is asked to end. Either way the process saves its state and can be resumed.

    Monitors show the run as paused or as stopped.
    """

    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class RunFolder:
    """The files of a run.

    Parameters
    ----------
    path : Path
    """

    path: Path

    @property
    def config(self) -> Path:
        """The training request, the configuration and the split."""
        return self.path / "config.json"

    @property
    def events(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    @property
    def last(self) -> Path:
        """The state to resume from."""
        return self.path / "last.safetensors"

    @property
    def best(self) -> Path:
        """The best network so far."""
        return self.path / "best.safetensors"

    @property
    def final(self) -> Path:
        """The network at the end of the run."""
        return self.path / "final.safetensors"

    @property
    def process(self) -> Path:
        """Which process trains here, see `run_lock`."""
        return self.path / "process.json"

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.path / "log.txt"

    def has(self, path: Path) -> bool:
        """Whether one of the files exists; a folder of its name is none.

        Raises
        ------
        TrainingError
            If that cannot be told, as on a drive that fails: a run may be there.
        """
        return is_file(path, unreachable=TrainingError)

    def mark_launch(self) -> None:
        """Separate in the log what the next process prints from what the one before printed.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{LAUNCHED}{time.strftime('%Y-%m-%d %H:%M:%S')} ---\n")

    @property
    def training_request_file(self) -> Path:
        """What the process that was launched last should do, see `TrainingRequest.write`."""
        return self.path / "training_request.json"

    @property
    def stop_request_file(self) -> Path:
        """The file of `request_stop`."""
        return self.path / "request"

    def request_stop(self, stop_request: StopRequest) -> None:
        """Ask the process that trains here, on whatever machine, to save and end."""
        write_bytes(self.stop_request_file, stop_request.value.encode(), overwrite=True)

    def read_stop_request(self) -> StopRequest | None:
        """The stop request that is pending, if any."""
        try:
            return StopRequest(self.stop_request_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def create(self) -> None:
        """Create the folder if it does not exist."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(
                f"{self.path} cannot be created: {error.strerror or error}"
            ) from None

    def write_config(self, config: dict[str, Any]) -> None:
        """Create the folder and write `config`."""
        self.create()
        write_bytes(self.config, json.dumps(config, indent=2).encode() + b"\n", overwrite=True)

    def read_config(self) -> dict[str, Any]:
        """What `write_config` wrote.

        Raises
        ------
        TrainingError
            If the folder is no run.
        """
        try:
            config = json.loads(self.config.read_text(encoding="utf-8"))
        except (OSError, *DAMAGED):
            raise TrainingError(f"{self.path} holds no run: config.json cannot be read") from None
        if not isinstance(config, dict):
            raise TrainingError(f"{self.config} is damaged")
        return config

    def append(self, event: str, step: int, **values: Any) -> None:
        """Add a line to the event log, see `append_event`."""
        append_event(self.events, event, step, **values)

    def read_events(self) -> Iterator[Event]:
        """The events of the log in order, see `smalltumor.training.runs.events.read_events`."""
        return read_events(self.events)

    @property
    def is_done(self) -> bool:
        """Whether the run has reached its end and has not been extended since."""
        last = deque(self.read_events(), maxlen=1)
        return bool(last) and last[0]["event"] == "done"

    @property
    def last_step(self) -> int:
        """The step of the last event; 0 if there is none."""
        last = deque(self.read_events(), maxlen=1)
        return int(last[0]["step"]) if last else 0

    def keep_best_after(self, step: int) -> Path | None:
        """Copy the best network if later steps gave one, so that repeating the steps keeps it.

        They did, if the disk was full when the state of the step was to be saved. The card of
        the network names its epoch.

        Returns
        -------
        Path or None
            The copy; None if the best network is not of a later step.

        Raises
        ------
        OutputError
            If the copy cannot be written.
        """
        validations = [event for event in self.read_events() if event["event"] == "validation"]
        best = max(validations, key=lambda event: float(event["score"]), default=None)
        if best is None or best["step"] <= max(step, 0) or not self.has(self.best):
            return None
        content = self.best.read_bytes()
        for number in count(1):
            ending = "" if number == 1 else f"_{number}"
            kept = self.path / f"best_before_resume{ending}.safetensors"
            if not self.has(kept):
                write_bytes(kept, content)
                return kept
            if kept.read_bytes() == content:
                return kept
        return None

    def discard_after(self, step: int) -> None:
        """Remove events of later steps, which will be repeated, and half-written files."""
        remove_temporary_files(self.path)
        drop_events_after(self.events, step)
