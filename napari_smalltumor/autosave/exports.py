"""When and where the masks of a case were last exported, kept with it in the user's data folder.

Edits that were not restored may be older than an export of the same case, in this session or in a
later one. The question whether to restore them says so. Masks that were exported to another place
than beside the images are not opened with these, and a message says that, too.

::

    DATA/exports/Patient-1-c0ffee....json
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smalltumor.data.case import Case
from smalltumor.files.damaged import DAMAGED

from napari_smalltumor.case_data.case_data_files import (
    case_data_file,
    case_data_file_of_record,
    write_case_data,
)
from napari_smalltumor.case_data.records import CaseRecord

FORMAT = "smalltumor exports"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class LastExport:
    """The files to which the masks of a case were exported last.

    Parameters
    ----------
    files : tuple of Path
    time : float
        Seconds since the epoch.
    checksums : mapping of str to int
        Of the exported layers, by `layer_key`.
    """

    files: tuple[Path, ...]
    time: float
    checksums: Mapping[str, int]


def record_export(
    case: Case, checksums: Mapping[str, int], time: float, files: Sequence[Path] | None = None
) -> None:
    """Keep when masks of a case were exported, and where.

    Parameters
    ----------
    case : Case
    checksums : mapping of str to int
        Of the masks, by `layer_key`.
    time : float
        Seconds since the epoch.
    files : sequence of Path, optional
        The masks that were written; none if they are found again with the case, as those of a
        review. Without it, the files of an earlier export stay the last ones.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    file = case_data_file("exports", case)
    last = _content_of(file).get("last") if files is None else None
    if files:
        paths = [os.path.realpath(path) for path in files]
        last = {"files": paths, "time": time, "checksums": dict(checksums)}
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "layers": {**export_times(case), **dict.fromkeys(checksums, time)},
        **({"last": last} if last else {}),
    }
    write_case_data(file, case, content)


def export_times(case: Case) -> dict[str, float]:
    """Seconds since the epoch at which each mask of a case was last exported, by `layer_key`.

    Nothing is known if the file is missing, damaged or of a later version.
    """
    return _times_in(case_data_file("exports", case))


def export_times_of(record: CaseRecord) -> dict[str, float]:
    """The `export_times` of the case of a record."""
    return _times_in(case_data_file_of_record("exports", record))


def last_export(case: Case) -> LastExport | None:
    """The last export of a case to files; None if there was none, or as for `export_times`."""
    try:
        last = _content_of(case_data_file("exports", case))["last"]
        checksums = {str(key): int(value) for key, value in last["checksums"].items()}
        return LastExport(tuple(map(Path, last["files"])), float(last["time"]), checksums)
    except DAMAGED:
        return None


def _times_in(file: Path) -> dict[str, float]:
    try:
        return {str(k): float(time) for k, time in _content_of(file)["layers"].items()}
    except DAMAGED:
        return {}


def _content_of(file: Path) -> Mapping[str, Any]:
    """What is kept in a file; empty if it is missing, damaged or of a later version."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        is_known = (content["format"], content["version"]) == (FORMAT, FORMAT_VERSION)
    except (OSError, *DAMAGED):
        return {}
    return content if is_known else {}
