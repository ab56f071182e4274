"""Values that are kept with cases, a file each, and that several windows may change.

A value is read again when another process has written its file. A write that fails is tried again
until it succeeds, because a disk that is full may have space again before the window is closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from smalltumor.data.case import Case
from smalltumor.errors import OutputError

from napari_smalltumor import notify, settings
from napari_smalltumor.case_data.kept_files import kept_file, write_kept
from napari_smalltumor.layers.metadata import identifying_files
from napari_smalltumor.patients.deferred_calls import later

RETRY_MS = 15_000

Value = TypeVar("Value")


@dataclass
class KeptValues(Generic[Value]):
    """The values of one kind, such as all accepted lesions.

    Parameters
    ----------
    folder : str
        In the user's data folder.
    subject : str
        What is kept, as the subject of a sentence.
    format : str
    version : int
    parse : callable
        From the content of a file to the value; a ValueError, TypeError, KeyError or
        AttributeError if it is damaged.
    to_json : callable
        From the value to the content of a file, without format and version.
    merge : callable
        From the value that another window has written meanwhile, and the one that could not be
        written, to one with both.
    empty : value
        That of a case of which nothing is kept.
    """

    folder: str
    subject: str
    format: str
    version: int
    parse: Callable[[Mapping[str, Any]], Value]
    to_json: Callable[[Value], Mapping[str, Any]]
    merge: Callable[[Value, Value], Value]
    empty: Value
    _known: dict[Path, tuple[object, Value]] = field(default_factory=dict, init=False)
    _refused: set[Path] = field(default_factory=set, init=False)
    _unwritten: dict[Path, tuple[Case, Value]] = field(default_factory=dict, init=False)

    def file_of(self, case: Case | None) -> Path | None:
        """The file of a case; None if the case was not read from files."""
        if case is None:
            return None
        paths = identifying_files(case).values()
        return kept_file(self.folder, case) if any(isinstance(p, Path) for p in paths) else None

    def get(self, file: Path) -> Value:
        """The value in a file, or the one that could not be written to it."""
        if file in self._unwritten:
            return self._unwritten[file][1]
        stamp = _stamp(file)
        if file not in self._known or self._known[file][0] != stamp:
            value = self._read(file)
            self._known[file] = stamp, self.empty if value is None else value
        return self._known[file][1]

    def put(self, file: Path, case: Case, value: Value) -> None:
        """Keep a value; it is written if autosave is on, and a failed write is reported."""
        if settings.get("autosave"):
            try:
                self._write(file, case, value)
            except OutputError as error:
                self._report(file, case, value, error)
        self._known[file] = _stamp(file), value

    def _write(self, file: Path, case: Case, value: Value) -> None:
        if self._read(file) is None:
            raise OutputError(f"{file} is damaged or of a later version, and is not replaced")
        content = {"format": self.format, "version": self.version, **self.to_json(value)}
        write_kept(file, case, content)
        self._unwritten.pop(file, None)

    def _report(self, file: Path, case: Case, value: Value, error: OutputError) -> None:
        if file in self._unwritten:
            self._unwritten[file] = case, value
            return
        text = f"{self.subject} of {case.name} could not be saved: {error}"
        if self._read(file) is None:
            if file not in self._refused:
                notify.warn(f"{text}. Move this file to another folder to have new ones saved.")
            self._refused.add(file)
            return
        notify.warn(f"{text}. This is tried again until the window is closed.")
        self._unwritten[file] = case, value
        later(RETRY_MS, lambda: self._retry(file))

    def _retry(self, file: Path) -> None:
        if file not in self._unwritten:
            return
        case, own = self._unwritten[file]
        written = self._read(file)
        value = own if written is None else self.merge(written, own)
        try:
            self._write(file, case, value)
        except OutputError:
            later(RETRY_MS, lambda: self._retry(file))
            return
        self._known[file] = _stamp(file), value
        notify.info(f"{self.subject} of {case.name} are saved now.")

    def _read(self, file: Path) -> Value | None:
        """The value in a file; `empty` if it is missing, None if it is damaged or of the future."""
        try:
            content = json.loads(file.read_text())
            if (content["format"], content["version"]) != (self.format, self.version):
                return None
            return self.parse(content)
        except (FileNotFoundError, NotADirectoryError):
            return self.empty
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None if there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
