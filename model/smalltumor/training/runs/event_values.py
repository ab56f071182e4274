"""Which values an event of a run may have.

Whoever reads events computes with their values unchecked: an event with others is not read, like
a line that was not written to its end. Numbers that are only shown are left out of it instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from smalltumor.labels.regions import Region

LOSSES = ("segmentation", "reconstruction", "segmentation_weight", "reconstruction_weight")
"""Names of the losses of an epoch and of their weights."""

SCORES = (*(region.value for region in Region), "small_lesions")
"""Names of the mean Dice of a validation."""

_Check = Callable[[Any], bool]


def event_of(record: Any) -> dict[str, Any] | None:
    """The event that a JSON value is; None if it is none, or has values that no event has."""
    if not isinstance(record, dict) or not record.keys() >= _ALWAYS:
        return None
    known = record.keys() & _CHECKS.keys()
    if not all(_CHECKS[key](record[key]) for key in known):
        return None
    if not record.keys() >= _REQUIRED.get(record["event"], set()):
        return None
    unshown = {key for key in record.keys() & _SHOWN if not _is_number_or_none(record[key])}
    return {key: value for key, value in record.items() if key not in unshown}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


def _is_number(value: Any) -> bool:
    """Whether it is a number that can be computed with as a float."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_changes(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _are_scores(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_score, value))


def _is_score(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("case"))
        and all(_is_number(value.get(region.value)) for region in Region)
    )


def _is_mapping_or_none(value: Any) -> bool:
    return value is None or isinstance(value, dict)


_ALWAYS = {"event", "step", "time"}

_REQUIRED: Mapping[str, set[str]] = {
    "validation": {"epoch", "score", "by_case"},
    "warning": {"message"},
}

_SHOWN = {"seconds", "seconds_left", "voxels_per_second", "peak_memory", *LOSSES, *SCORES}
"""Numbers, or None, that are only shown."""

_CHECKS: Mapping[str, _Check] = {
    **dict.fromkeys(("event", "message", "case", "device", "request"), _is_text),
    **dict.fromkeys(("training", "validation", "left_out", "digests"), _are_texts),
    **dict.fromkeys(("step", "steps", "epoch", "epochs"), _is_count),
    **dict.fromkeys(("time", "score"), _is_number),
    "by_case": _are_scores,
    "changes": _are_changes,
    "made_by": _is_mapping_or_none,
}
"""By the names of values, whatever the kind of the event; others are not computed with."""
