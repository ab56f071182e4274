"""The event log of a run: one JSON object a line, written by one process and read by others.

A process that is killed can leave its last line unfinished. The next event then starts a line of
its own, and readers skip the unfinished one, see `event_values`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_bytes
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import exists
from smalltumor.training.runs.event_values import event_of

Event = dict[str, Any]
"""At least ``event`` (its kind), ``step`` and ``time`` (seconds since 1970)."""

END_EVENTS = ("stop", "done", "failed")
"""Kinds of the last event of a process."""

_START = b'{"event"'
_PROGRESS = b'{"event": "progress"'
_TAIL_BYTES = 256


def append_event(path: Path, event: str, step: int, **values: Any) -> None:
    """Add a line to an event log.

    Parameters
    ----------
    path : Path
        Created if it does not exist.
    event : str
        ``start`` (of each process) after ``warning`` (what makes a case doubtful), ``progress``
        (every few seconds), ``epoch``, ``validation``, ``freeze``, and one of `END_EVENTS` when a
        process ends.
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
    line = json.dumps(record).encode() + b"\n"
    try:
        with path.open("ab+") as file:
            file.write(line if _ends_whole(file) else b"\n" + line)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error


def read_events(path: Path) -> Iterator[Event]:
    """Events in order; unfinished lines are skipped."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    yield from filter(None, map(_parse, content.split(b"\n")))


def drop_events_after(path: Path, step: int) -> None:
    """Drop the events of steps that will be repeated.

    Raises
    ------
    OutputError
        If the log cannot be rewritten.
    """
    if exists(path, unreachable=OutputError):
        kept = [json.dumps(event) + "\n" for event in read_events(path) if event["step"] <= step]
        write_bytes(path, "".join(kept).encode(), overwrite=True)


class EventReader:
    """Reads a log repeatedly, each time only the new lines.

    Of consecutive progress events only the last is read, because there is one every few seconds.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._tail = b""

    def poll(self) -> tuple[list[Event], bool]:
        """The new events.

        Returns
        -------
        events : list of dict
        replaced : bool
            Whether the log was replaced, as when a run is resumed; the events are then those from
            its beginning.
        """
        try:
            with self._path.open("rb") as file:
                replaced = not self._is_same_log(file)
                if replaced:
                    self._offset, self._tail = 0, b""
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except OSError:
            return [], False
        self._offset += len(whole) + len(newline)
        self._tail = (self._tail + whole[-_TAIL_BYTES:] + newline)[-_TAIL_BYTES:]
        lines = _without_repeated_progress(whole.split(b"\n"))
        return list(filter(None, map(_parse, lines))), replaced

    def _is_same_log(self, file: IO[bytes]) -> bool:
        # Comparing inode numbers would not suffice: a new file can get that of a deleted one.
        file.seek(self._offset - len(self._tail))
        return file.read(len(self._tail)) == self._tail


def _ends_whole(file: IO[bytes]) -> bool:
    """Whether an open file is empty or ends with a newline."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parse(line: bytes) -> Event | None:
    """The event of a line; None of one that was not written to its end, or is damaged."""
    try:
        record = json.loads(line)
    except DAMAGED:
        return None
    return event_of(record)


def _without_repeated_progress(lines: list[bytes]) -> Iterator[bytes]:
    waiting = b""
    for line in lines:
        if line.startswith(_PROGRESS) and line.count(_START) == 1 and line.endswith(b"}"):
            waiting = line
            continue
        if waiting:
            yield waiting
            waiting = b""
        yield line
    if waiting:
        yield waiting
