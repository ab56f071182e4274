"""What was decided about candidates and lesions, by whom and when, kept with the case.

::

    DATA/decisions/Patient-1-c0ffee....json

A decision belongs to a place in the patient and to a size, so it holds for a mask that is segmented
again and for every segmentation of the case. As acceptances it is kept while autosave is on; layers
whose case was not read from files keep theirs while they are open.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from smalltumor.errors import OutputError
from smalltumor.lesions import Lesion, LesionList, Point

from napari_smalltumor import notify, settings
from napari_smalltumor.case_data.kept_files import write_kept
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.decisions.acceptance import file_of_case

if TYPE_CHECKING:
    from napari.layers import Labels

FORMAT = "smalltumor decisions"
FORMAT_VERSION = 1

SAME_PLACE_MM = 3.0
"""A decision holds for a lesion whose centre is nearer than this ..."""

SAME_SIZE = 2.0
"""... and whose volume is less than this many times larger or smaller."""


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
    mm3 : float
        Volume of the lesion.
    who : str
        Name of the user's account.
    when : str
        Local time with its offset, ISO 8601.
    """

    verdict: Verdict
    centre_ras_mm: Point
    mm3: float
    who: str
    when: str

    @classmethod
    def now(cls, verdict: Verdict, lesion: Lesion) -> Decision:
        """A decision of this user at this time."""
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(verdict, lesion.centroid_ras_mm, lesion.mm3, _user(), when)

    def concerns(self, lesion: Lesion) -> bool:
        """Whether it is about a lesion: of its kind, at its place and of its size.

        A rejection is about a candidate, an acceptance about a component of the mask, and an
        addition about either.
        """
        is_candidate = lesion.list_name is LesionList.SECOND_LOOK
        if self.verdict is (Verdict.ACCEPTED if is_candidate else Verdict.REJECTED):
            return False
        distance = np.linalg.norm(np.subtract(self.centre_ras_mm, lesion.centroid_ras_mm))
        sizes = sorted((self.mm3, lesion.mm3))
        return bool(distance < SAME_PLACE_MM and sizes[1] < SAME_SIZE * sizes[0])


@dataclass(frozen=True)
class Replaced:
    """The decisions on lesions before a step of the review.

    Parameters
    ----------
    layer : Labels
    lesions : sequence of Lesion
    decisions : tuple of Decision
    """

    layer: Labels
    lesions: Sequence[Lesion]
    decisions: tuple[Decision, ...]

    def restore(self) -> None:
        """Let these decisions hold again, in place of later ones; a failed write is reported."""
        _store(self.layer, (*_without(self.layer, self.lesions), *self.decisions))


_KEPT: dict[Path, tuple[object, tuple[Decision, ...]]] = {}
_OF_LAYERS: WeakKeyDictionary[Labels, tuple[Decision, ...]] = WeakKeyDictionary()


def decisions_of(layer: Labels) -> tuple[Decision, ...]:
    """The decisions on the patient of a layer, in their order."""
    file = file_of_case("decisions", layer)
    if file is None:
        return _OF_LAYERS.get(layer, ())
    stamp = _stamp(file)
    if file not in _KEPT or _KEPT[file][0] != stamp:  # another napari may have written it
        _KEPT[file] = stamp, _read(file) or ()
    return _KEPT[file][1]


def decide(layer: Labels, verdict: Verdict, lesions: Sequence[Lesion]) -> Replaced:
    """Record a decision on lesions, in place of earlier ones; a failed write is reported."""
    replaced = _on(layer, lesions)
    new = (Decision.now(verdict, lesion) for lesion in lesions)
    _store(layer, (*_without(layer, lesions), *new))
    return replaced


def take_back(layer: Labels, lesions: Sequence[Lesion]) -> Replaced:
    """Remove the decisions on lesions; a failed write is reported."""
    replaced = _on(layer, lesions)
    if replaced.decisions:
        _store(layer, _without(layer, lesions))
    return replaced


def decision_on(layer: Labels, lesion: Lesion) -> Decision | None:
    """The last decision on a lesion."""
    return next((d for d in reversed(decisions_of(layer)) if d.concerns(lesion)), None)


def is_rejected(layer: Labels, lesion: Lesion) -> bool:
    """Whether the last decision on a candidate rejected it."""
    decision = decision_on(layer, lesion)
    return decision is not None and decision.verdict is Verdict.REJECTED


def was_added(layer: Labels, lesion: Lesion) -> bool:
    """Whether a component of the mask was added to it as a candidate or by a click."""
    decision = decision_on(layer, lesion)
    return decision is not None and decision.verdict is Verdict.ADDED


def _on(layer: Labels, lesions: Sequence[Lesion]) -> Replaced:
    decisions = tuple(d for d in decisions_of(layer) if any(map(d.concerns, lesions)))
    return Replaced(layer, lesions, decisions)


def _without(layer: Labels, lesions: Sequence[Lesion]) -> tuple[Decision, ...]:
    return tuple(d for d in decisions_of(layer) if not any(map(d.concerns, lesions)))


def _store(layer: Labels, decisions: tuple[Decision, ...]) -> None:
    file = file_of_case("decisions", layer)
    if file is None:
        _OF_LAYERS[layer] = decisions
        return
    if settings.get("autosave"):
        try:
            _write(file, layer, decisions)
        except OutputError as error:
            notify.warn(f"Decisions on lesions could not be saved: {error}")
    _KEPT[file] = _stamp(file), decisions


def _write(file: Path, layer: Labels, decisions: tuple[Decision, ...]) -> None:
    if _read(file) is None:
        raise OutputError(f"{file} is damaged or of a later version, and is not replaced")
    values = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "decisions": [asdict(decision) for decision in decisions],
    }
    case = case_of(layer)
    assert case is not None  # it has a file
    write_kept(file, case, values)


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None if there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _read(file: Path) -> tuple[Decision, ...] | None:
    """The decisions in a file; none if it is missing, None if it is damaged or of the future."""
    try:
        content = json.loads(file.read_text())
        if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
            return None
        return tuple(_parsed(values) for values in content["decisions"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _parsed(values: dict[str, Any]) -> Decision:
    r, a, s = map(float, values["centre_ras_mm"])
    verdict, mm3 = Verdict(values["verdict"]), float(values["mm3"])
    return Decision(verdict, (r, a, s), mm3, str(values["who"]), str(values["when"]))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return ""
