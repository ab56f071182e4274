"""A training run on disk: whoever starts, follows, stops or resumes it does so through here.

``config.json``       what was asked for
``events.jsonl``      one JSON object a line: what happened so far
``last.safetensors``  everything needed to go on
``best.safetensors``  the best network so far, a checkpoint for inference
``process.json``      which process trains here; its time of change is a heartbeat
``training_request.json``  what the process that was started last is to do
``request``           a wish that it stop, see `StopRequest`; the process removes it
``log.txt``           what it printed, if it was started without a terminal
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from smalltumor.errors import OutputError, TrainingError
from smalltumor.files.atomic import remove_temporary_files, write_bytes


class StopRequest(StrEnum):
    """What is asked of a run: both save and end the process; a paused run means to go on."""

    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class RunFolder:
    """Where a run lives.

    Parameters
    ----------
    path : Path
    """

    path: Path

    @property
    def config(self) -> Path:
        """What was asked for."""
        return self.path / "config.json"

    @property
    def events(self) -> Path:
        """What happened so far."""
        return self.path / "events.jsonl"

    @property
    def last(self) -> Path:
        """The state to go on from."""
        return self.path / "last.safetensors"

    @property
    def best(self) -> Path:
        """The best network so far."""
        return self.path / "best.safetensors"

    @property
    def process(self) -> Path:
        """Which process trains here, see `training.occupant`."""
        return self.path / "process.json"

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.path / "log.txt"

    @property
    def training_request(self) -> Path:
        """What the process that was started last is to do, see `TrainingRequest.write`."""
        return self.path / "training_request.json"

    @property
    def stop_request_file(self) -> Path:
        """A wish that the run stop."""
        return self.path / "request"

    def request_stop(self, request: StopRequest) -> None:
        """Ask the process that trains here, on whatever machine, to save and end."""
        write_bytes(self.stop_request_file, request.value.encode(), overwrite=True)

    def read_stop_request(self) -> StopRequest | None:
        """What has been asked and not yet been done."""
        try:
            return StopRequest(self.stop_request_file.read_text())
        except (OSError, ValueError):
            return None

    def create(self) -> None:
        """Make the folder if it is not there."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.path} cannot be created: {error.strerror}") from None

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
            config = json.loads(self.config.read_text())
        except (OSError, ValueError):
            raise TrainingError(f"{self.path} holds no run: config.json cannot be read") from None
        if not isinstance(config, dict):
            raise TrainingError(f"{self.config} is damaged")
        return config

    def append(self, event: str, step: int, **values: Any) -> None:
        """Add a line to the events.

        Parameters
        ----------
        event : str
            ``start`` (of each sitting), ``progress`` (every few seconds), ``epoch``,
            ``validation``, ``freeze``, and at the end of a sitting ``stop``, ``done`` or
            ``failed``.
        step : int
            Steps done so far.
        **values
            Plain JSON values.

        Raises
        ------
        OutputError
            If the line cannot be written.
        """
        record = {"event": event, "step": step, "time": round(time.time(), 3), **values}
        try:
            with self.events.open("a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise OutputError(f"{self.events} could not be written: {error.strerror}") from error

    def read_events(self) -> Iterator[dict[str, Any]]:
        """Events in order; a line that a killed process left unfinished is passed over."""
        if not self.events.is_file():
            return
        for line in self.events.read_text().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and "step" in record:
                yield record

    def forget_after(self, step: int) -> None:
        """Drop events of steps that will be done again, and what a kill left half-written."""
        remove_temporary_files(self.path)
        kept = [json.dumps(e) for e in self.read_events() if e["step"] <= step]
        if self.events.is_file():
            write_bytes(self.events, "".join(k + "\n" for k in kept).encode(), overwrite=True)
