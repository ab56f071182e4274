"""Whether a case was made of a scan before, by what this computer remembers and its record."""

from __future__ import annotations

from pathlib import Path

from smalltumor.errors import CaseError
from smalltumor.files.listings import entries
from smalltumor.scanner.prepared.prepared_files import RECORD_ENDING
from smalltumor.scanner.prepared.stored_case import recorded_series_uid
from smalltumor.scanner.series import Series

from napari_smalltumor.scanner.known_scans import cases_of_scan


def prepared_before(scan: Path, reference: Series, *, is_only_study: bool) -> Path | None:
    """The folder of the latest case that was made of a series; None if none is known.

    Parameters
    ----------
    scan : Path
        The folder of the series, which may hold those of several patients.
    reference : Series
        T1CE.
    is_only_study : bool
        Whether it holds one study, so that a series without UID is known by its folder.
    """
    for case in reversed(cases_of_scan(scan)):
        uid = recorded_uid(case)
        if uid == reference.uid and (uid or is_only_study):
            return case
    return None


def recorded_uid(case_folder: Path) -> str | None:
    """Series Instance UID of T1CE, empty if it had none; None if it cannot be read."""
    try:
        records = [path for path in entries(case_folder) if path.name.endswith(RECORD_ENDING)]
        return recorded_series_uid(records[0]) if len(records) == 1 else None
    except CaseError:
        return None
