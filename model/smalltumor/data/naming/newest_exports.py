"""Which of several exports beside the images of a case is the newest."""

from __future__ import annotations

from collections.abc import Sequence

from smalltumor.data.naming.export_names import Export
from smalltumor.data.volumes.nifti import label_scheme_of, read_header
from smalltumor.errors import CaseError
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import scheme_of_header

_TOGETHER_NS = 2_000_000_000
"""Exports that are written within 2 s, as by one command or by a copy, hold the same mask."""


def newest_first(exports: Sequence[Export]) -> list[Export]:
    """Exports by the time at which they were written; those that are not complete come last.

    Of those written at one time, and where this is not known, the order is kept.
    """
    if len(exports) < 2:  # no header is read
        return list(exports)
    return sorted(exports, key=lambda each: (_is_complete(each), _written(each)), reverse=True)


def written_before(exports: Sequence[Export]) -> list[Export]:
    """Those of `newest_first` that may hold another mask than the first one."""
    if not exports:
        return []
    newest, *others = exports
    last = _written(newest)
    return [e for e in others if not _is_complete(e) or last - _written(e) > _TOGETHER_NS]


def _is_complete(export: Export) -> bool:
    """Whether an export tells all regions: a label file may have some classes only."""
    regions = {file.region for file in export}
    if None not in regions:
        return regions == set(Region)
    try:
        scheme = scheme_of_header(label_scheme_of(read_header(export[0].path)))
    except CaseError:
        return True  # it is read, and the error told
    return scheme is None or set(scheme.known_classes) == set(TissueClass)


def _written(export: Export) -> int:
    try:
        return max(file.path.stat().st_mtime_ns for file in export)
    except OSError:
        return 0
