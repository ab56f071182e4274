"""Which values an event of a run may have.

Whoever reads events computes with their values unchecked: an event with others is not read, like
a line that was not written to its end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from smalltumor.labels.regions import Region

_Check = Callable[[Any], bool]


def is_event(record: Any) -> bool:
    """Whether a JSON value is an event, with the values that events of its kind have."""
    if not isinstance(record, dict) or not record.keys() >= _ALWAYS:
        return False
    known = record.keys() & _CHECKS.keys()
    if not all(_CHECKS[key](record[key]) for key in known):
        return False
    return record.keys() >= _REQUIRED.get(record["event"], set())


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

_CHECKS: Mapping[str, _Check] = {
    **dict.fromkeys(("event", "message", "case", "device", "wish"), _is_text),
    **dict.fromkeys(("training", "validation", "left_out", "digests"), _are_texts),
    **dict.fromkeys(("step", "steps", "epoch", "epochs"), _is_count),
    **dict.fromkeys(("time", "score"), _is_number),
    **dict.fromkeys(("seconds", "seconds_left", "voxels_per_second"), _is_number_or_none),
    **dict.fromkeys(("peak_memory", "small_lesions"), _is_number_or_none),
    **dict.fromkeys((region.value for region in Region), _is_number_or_none),
    **dict.fromkeys(("segmentation", "segmentation_weight"), _is_number_or_none),
    **dict.fromkeys(("reconstruction", "reconstruction_weight"), _is_number_or_none),
    "by_case": _are_scores,
    "changes": _are_changes,
    "made_by": _is_mapping_or_none,
}
"""By the names of values, whatever the kind of the event; others are not computed with."""
