"""When the masks of a case were last exported, kept with the case in the user's data folder.

Edits that were not restored may be older than an export of the same case, in this session or in a
later one. The user is told before they are restored.

::

    DATA/exports/Patient-1-c0ffee....json
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from smalltumor.data.case import Case

from napari_smalltumor.case_data.kept_files import kept_file, kept_file_of, write_kept
from napari_smalltumor.case_data.records import CaseRecord

FORMAT = "smalltumor exports"
FORMAT_VERSION = 1


def record_export(case: Case, keys: Iterable[str], time: float) -> None:
    """Keep when masks of a case were exported.

    Parameters
    ----------
    case : Case
    keys : iterable of str
        The `layer_key` of each mask.
    time : float
        Seconds since the epoch.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "layers": {**export_times(case), **dict.fromkeys(keys, time)},
    }
    write_kept(kept_file("exports", case), case, content)


def export_times(case: Case) -> dict[str, float]:
    """Seconds since the epoch at which each mask of a case was last exported, by `layer_key`.

    Nothing is known if the file is missing, damaged or of a later version.
    """
    return _times_in(kept_file("exports", case))


def export_times_of(record: CaseRecord) -> dict[str, float]:
    """The `export_times` of the case of a record."""
    return _times_in(kept_file_of("exports", record))


def _times_in(file: Path) -> dict[str, float]:
    try:
        content = json.loads(file.read_text())
        if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
            return {}
        return {str(key): float(time) for key, time in content["layers"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
