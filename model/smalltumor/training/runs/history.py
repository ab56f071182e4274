"""Curves and newest values of a run, from its events."""

from __future__ import annotations

from typing import Any

from smalltumor.data.identity.patients import patient_key
from smalltumor.data.made_by import MadeBy
from smalltumor.files.damaged import DAMAGED
from smalltumor.training.network_masks import NetworkMasks
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.event_values import LOSSES, SCORES
from smalltumor.training.runs.events import END_EVENTS, Event
from smalltumor.training.runs.run_config import RunConfig
from smalltumor.training.runs.status import Curve


class RunHistory:
    """Curves and newest values, updated with every event.

    An update takes the same time in a long run as in a short one.

    Attributes
    ----------
    last : dict
        The last event of any kind; empty before the first.
    timing : dict
        The last event with the time left, ``epoch`` or ``progress``.
    """

    def __init__(self) -> None:
        self.last: Event = {}
        self.timing: Event = {}
        self._newest: dict[str, Event] = {}
        self._losses: dict[str, Curve] = {name: ([], []) for name in LOSSES}
        self._scores: dict[str, Curve] = {name: ([], []) for name in SCORES}
        self._earlier_start: Event = {}
        self._before: Event | None = None
        self._best: Event | None = None
        self._warnings: list[str] = []

    def add(self, event: Event) -> None:
        """Take the next event into account."""
        kind = event["event"]
        if kind == "start":
            self._earlier_start = self.newest("start")
        self.last = self._newest[kind] = event
        if kind in ("epoch", "progress"):
            self.timing = event
        if kind == "epoch":
            _extend(self._losses, event)
        if kind == "validation":
            _extend(self._scores, event)
            self._add_validation(event)
        if kind == "warning":
            self._warnings.append(_text_of(event))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes cases doubtful, each once although every resume repeats it."""
        return tuple(dict.fromkeys(self._warnings))

    @property
    def added(self) -> tuple[str, ...]:
        """Training cases that came when the run was resumed last."""
        return _without(self.newest("start"), self._earlier_start)

    @property
    def removed(self) -> tuple[str, ...]:
        """Training cases that went when the run was resumed last."""
        return _without(self._earlier_start, self.newest("start"))

    @property
    def best_is_start(self) -> bool:
        """Whether no later validation was better than that of the starting weights."""
        if self._before is None:
            return False
        return self._best is None or float(self._best["score"]) <= float(self._before["score"])

    def newest(self, kind: str) -> Event:
        """The last event of a kind; empty if there is none."""
        return self._newest.get(kind, {})

    @property
    def end(self) -> Event:
        """The event with which the last process ended; empty if it did not end with one."""
        return self.last if self.last.get("event") in END_EVENTS else {}

    @property
    def losses(self) -> dict[str, Curve]:
        """Curves of the losses and their weights, by name."""
        return _copies(self._losses)

    @property
    def scores(self) -> dict[str, Curve]:
        """Curves of validation Dice, by name."""
        return _copies(self._scores)

    def comparison(self, config: RunConfig) -> RunComparison | None:
        """Validation of the initial weights and of the best later ones, if there are both."""
        if self._before is None or self._best is None:
            return None
        patients = config.patients
        known = {patient_key(case, patients) for case in config.known_cases}
        cases = [score["case"] for score in self._before["by_case"]]
        seen = tuple(case for case in cases if patient_key(case, patients) in known)
        made_by = self.newest("start").get("made_by") or {}
        masks = [_made_by(made_by.get(case)) for case in cases]
        favoured = NetworkMasks.among(masks, config.ancestors)
        last = self.newest("validation")
        return RunComparison(self._before, self._best, seen, favoured, last)

    def _add_validation(self, event: Event) -> None:
        if event["epoch"] == 0:
            self._before = self._before or event
        elif self._best is None or float(event["score"]) > float(self._best["score"]):
            self._best = event


def _made_by(recorded: Any) -> MadeBy | None:
    try:
        return None if recorded is None else MadeBy.from_json(recorded)
    except DAMAGED:
        return None


def _without(start: Event, other: Event) -> tuple[str, ...]:
    """Training cases of one ``start`` event that another does not have; none if there is none."""
    if not start or not other:
        return ()
    known = set(other.get("training", ()))
    return tuple(name for name in start.get("training", ()) if name not in known)


def _text_of(warning: Event) -> str:
    case = warning.get("case", "")
    return f"{case}: {warning['message']}" if case else str(warning["message"])


def _extend(curves: dict[str, Curve], event: Event) -> None:
    for name, (epochs, values) in curves.items():
        if "epoch" in event and event.get(name) is not None:
            epochs.append(float(event["epoch"]))
            values.append(float(event[name]))


def _copies(curves: dict[str, Curve]) -> dict[str, Curve]:
    return {name: (list(epochs), list(values)) for name, (epochs, values) in curves.items()}
