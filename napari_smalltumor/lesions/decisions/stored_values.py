"""Values that are stored with cases, a file each, and that several windows may change.

A window changes what is in the file at that moment. Changes that cannot be written are held in
memory, apply to whatever the file holds by then, and are tried again until they are written: a disk
that is full may have space again before the window is closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from smalltumor.data.case import Case
from smalltumor.errors import OutputError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.file_stamp import stamp_of

from napari_smalltumor import notify, settings
from napari_smalltumor.case_data.case_data_files import case_data_file, write_case_data
from napari_smalltumor.deferred_calls import later
from napari_smalltumor.layers.metadata import identifying_files

RETRY_MS = 15_000

Value = TypeVar("Value")
Change = Callable[[Value], Value]


class _DamagedFileError(OutputError):
    """A file that is damaged or of a later version."""


@dataclass(kw_only=True)
class StoredValues(Generic[Value]):
    """The values of one kind, such as all accepted lesions.

    Parameters
    ----------
    folder : str
        In the user's data folder.
    subject : str
        What is stored, as the subject of a sentence.
    format : str
    version : int
    parse : callable
        From the content of a file to the value; a ValueError, TypeError, KeyError or
        AttributeError if it is damaged.
    to_json : callable
        From the value to the content of a file, without format and version.
    empty : value
        That of a case of which nothing is stored.
    """

    folder: str
    subject: str
    format: str
    version: int
    parse: Callable[[Mapping[str, Any]], Value]
    to_json: Callable[[Value], Mapping[str, Any]]
    empty: Value
    _stored: dict[Path, tuple[object, Value]] = field(default_factory=dict, init=False)
    _current: dict[Path, tuple[object, int, Value]] = field(default_factory=dict, init=False)
    _changes: dict[Path, list[Change[Value]]] = field(default_factory=dict, init=False)
    _retried: set[Path] = field(default_factory=set, init=False)

    def file_of(self, case: Case | None) -> Path | None:
        """The file of a case; None if the case was not read from files."""
        if case is None:
            return None
        paths = identifying_files(case).values()
        return (
            case_data_file(self.folder, case) if any(isinstance(p, Path) for p in paths) else None
        )

    def get(self, file: Path) -> Value:
        """The value in a file, with the changes of this window that are not written yet."""
        stamp, changes = stamp_of(file), self._changes.get(file, [])
        known = self._current.get(file)
        if known is None or known[:2] != (stamp, len(changes)):
            known = stamp, len(changes), _changed(self._last_stored(file, stamp), changes)
            self._current[file] = known
        return known[2]

    def change(self, file: Path, case: Case, change: Change[Value]) -> None:
        """Change a value; it is written if autosave is on, and a failed write is reported.

        Parameters
        ----------
        file : Path
            The `file_of` the case.
        case : Case
        change : callable
            From a value, perhaps one that another window has written meanwhile, to the new one.
        """
        self._changes.setdefault(file, []).append(change)
        if not settings.get("autosave"):
            return
        try:
            self._write(file, case)
        except OutputError as error:
            if file not in self._retried:
                notify.warn(
                    f"{self.subject} of {case.name} could not be saved: {error}. This is tried "
                    "again until the window is closed."
                )
                self._retry_later(file, case)

    def _write(self, file: Path, case: Case) -> None:
        """Write the value with all changes."""
        value = _changed(self._read(file), self._changes[file])
        content = {"format": self.format, "version": self.version, **self.to_json(value)}
        write_case_data(file, case, content)
        del self._changes[file]
        self._stored[file] = stamp_of(file), value

    def _retry_later(self, file: Path, case: Case) -> None:
        self._retried.add(file)
        later(RETRY_MS, lambda: self._retry(file, case))

    def _retry(self, file: Path, case: Case) -> None:
        self._retried.discard(file)
        try:
            if file in self._changes:
                self._write(file, case)
        except OutputError:
            self._retry_later(file, case)
            return
        notify.info(f"{self.subject} of {case.name} are saved now.")

    def _last_stored(self, file: Path, stamp: object) -> Value:
        """The value in a file; if it cannot be read now, the one that was read before."""
        known = self._stored.get(file)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            value = self._read(file)
        except _DamagedFileError:
            value = self.empty
        except OutputError:
            return self.empty if known is None else known[1]
        self._stored[file] = stamp, value
        return value

    def _read(self, file: Path) -> Value:
        """The value in a file; `empty` if there is no file.

        Raises
        ------
        OutputError
            If the file cannot be read, or is damaged or of another version and must not be
            replaced.
        """
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if (content["format"], content["version"]) == (self.format, self.version):
                return self.parse(content)
        except (FileNotFoundError, NotADirectoryError):
            return self.empty
        except OSError as error:
            raise OutputError(f"{file} cannot be read: {error.strerror or error}") from error
        except DAMAGED:
            pass
        raise _DamagedFileError(
            f"{file} is damaged or of another version, and is not replaced; move it to another "
            "folder"
        )


def _changed(value: Value, changes: Iterable[Change[Value]]) -> Value:
    for change in changes:
        value = change(value)
    return value
