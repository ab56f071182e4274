"""What was decided about candidates and lesions, by whom and when, kept with the case.

::

    DATA/decisions/Patient-1-c0ffee....json

A decision belongs to a place in the patient, so it holds for a mask that is segmented again. As
acceptances it is kept while autosave is on; layers whose case was not read from files keep theirs
while they are open.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.lesions import Lesion, Point

from napari_smalltumor import notify
from napari_smalltumor.lesions.acceptance import file_in

if TYPE_CHECKING:
    from napari.layers import Labels

FORMAT = "smalltumor decisions"
FORMAT_VERSION = 1

SAME_PLACE_MM = 3.0
"""A decision holds for a lesion whose centre is nearer than this."""


class Verdict(StrEnum):
    """What was decided."""

    ACCEPTED = "accepted"
    """A component of the mask was accepted."""
    ADDED = "added"
    """A candidate, or a spot that was clicked, was added to the mask."""
    REJECTED = "rejected"
    """A candidate was rejected."""


@dataclass(frozen=True)
class Decision:
    """A decision.

    Parameters
    ----------
    verdict : Verdict
    centre_ras_mm : (r, a, s)
        Centre of the lesion in patient coordinates.
    who : str
        Name of the user's account.
    when : str
        Local time with its offset, ISO 8601.
    """

    verdict: Verdict
    centre_ras_mm: Point
    who: str
    when: str

    @classmethod
    def now(cls, verdict: Verdict, lesion: Lesion) -> Decision:
        """A decision of this user at this time."""
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(verdict, lesion.centroid_ras_mm, _user(), when)

    def concerns(self, lesion: Lesion) -> bool:
        """Whether it is about a lesion at this place."""
        distance = np.linalg.norm(np.subtract(self.centre_ras_mm, lesion.centroid_ras_mm))
        return bool(distance < SAME_PLACE_MM)


_DECISIONS: WeakKeyDictionary[Labels, tuple[Decision, ...]] = WeakKeyDictionary()


def decisions_of(layer: Labels) -> tuple[Decision, ...]:
    """The decisions on the patient of a layer, in their order."""
    if layer not in _DECISIONS:
        file = file_in("decisions", layer)
        _DECISIONS[layer] = () if file is None else tuple(_read(file))
    return _DECISIONS[layer]


def decide(layer: Labels, verdict: Verdict, lesions: Sequence[Lesion]) -> None:
    """Record a decision on lesions, in place of earlier ones; a failed write is reported."""
    kept = _without(layer, lesions)
    _store(layer, (*kept, *(Decision.now(verdict, lesion) for lesion in lesions)))


def take_back(layer: Labels, lesions: Sequence[Lesion]) -> None:
    """Remove the decisions on lesions; a failed write is reported."""
    _store(layer, _without(layer, lesions))


def decision_on(layer: Labels, lesion: Lesion) -> Decision | None:
    """The last decision on a lesion at this place."""
    return next((d for d in reversed(decisions_of(layer)) if d.concerns(lesion)), None)


def is_rejected(layer: Labels, lesion: Lesion) -> bool:
    """Whether the last decision on a candidate rejected it."""
    decision = decision_on(layer, lesion)
    return decision is not None and decision.verdict is Verdict.REJECTED


def _without(layer: Labels, lesions: Sequence[Lesion]) -> tuple[Decision, ...]:
    return tuple(d for d in decisions_of(layer) if not any(map(d.concerns, lesions)))


def _store(layer: Labels, decisions: tuple[Decision, ...]) -> None:
    _DECISIONS[layer] = decisions
    file = file_in("decisions", layer)
    if file is None:
        return
    values = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "decisions": [asdict(decision) for decision in decisions],
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(file, json.dumps(values, indent=1), overwrite=True)
    except (OSError, OutputError) as error:
        notify.warn(f"Decisions on lesions could not be saved: {error}")


def _read(file: Path) -> list[Decision]:
    """The decisions in a file; none if it is missing, damaged or of the future."""
    try:
        content = json.loads(file.read_text())
        if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
            return []
        return [_parsed(values) for values in content["decisions"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _parsed(values: dict[str, object]) -> Decision:
    r, a, s = map(float, values["centre_ras_mm"])  # type: ignore[call-overload]
    verdict = Verdict(str(values["verdict"]))
    return Decision(verdict, (r, a, s), str(values["who"]), str(values["when"]))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return ""
