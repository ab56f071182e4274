"""Validation Dice before and after training, and whether it improved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from smalltumor.labels.regions import Region
from smalltumor.text import pluralize
from smalltumor.training.network_masks import NetworkMasks

NOTEWORTHY = 0.005
"""Smallest difference of the mean Dice that counts as an improvement."""

USABLE = 0.6
"""Mean Dice below which a network is not recommended, however much it improved."""

_MANY = 5
"""Cases that do not improve by chance alone, as fewer may."""
_UNKNOWN = NetworkMasks(0)


@dataclass(frozen=True)
class RunComparison:
    """Two validations of one run.

    Parameters
    ----------
    before, after : mapping
        The ``validation`` events of the initial weights and of the best later ones.
    seen : tuple of str
        Validation cases of patients that the initial weights had been trained on.
    masks : NetworkMasks
        What made the masks of the validation cases.
    last : mapping
        The last ``validation`` event, by default the best one: after the run, of the final weights.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    seen: tuple[str, ...] = ()
    masks: NetworkMasks = _UNKNOWN
    last: Mapping[str, Any] | None = None

    @property
    def of_last(self) -> RunComparison:
        """The same with the last validation instead of the best one."""
        return self if self.last is None else replace(self, after=self.last)

    @property
    def difference(self) -> float:
        """Difference of the mean Dice of ET, TC and WT."""
        return float(self.after["score"]) - float(self.before["score"])

    @property
    def is_improvement(self) -> bool:
        """Whether the new weights are better."""
        return self.difference >= NOTEWORTHY

    @property
    def is_start(self) -> bool:
        """Whether the best weights of the run are those that it started from."""
        return self.difference <= 0

    @property
    def favours_start(self) -> bool:
        """Whether validation masks are results of the starting weights."""
        return bool(self.masks.of_start)

    @property
    def is_usable(self) -> bool:
        """Whether the mean Dice of the new weights reaches `USABLE`."""
        return float(self.after["score"]) >= USABLE

    def rows(self) -> list[tuple[str, dict[Region, tuple[float, float]]]]:
        """Each validation case, with Dice before and after by region."""
        later = {score["case"]: score for score in self.after["by_case"]}
        return [
            (score["case"], {r: (score[r.value], later[score["case"]][r.value]) for r in Region})
            for score in self.before["by_case"]
            if score["case"] in later
        ]

    @property
    def message(self) -> str:
        """The result in a few sentences."""
        return " ".join(filter(None, (self._verdict(), self._small_lesions(), *self._caveats())))

    def _verdict(self) -> str:
        where = pluralize(len(self.rows()), "case")
        change = f"mean Dice {self.before['score']:.3f} → {self.after['score']:.3f} on {where}"
        epoch = self.after["epoch"]
        if self.is_improvement and self.seen:
            return f"Higher: {change}, after epoch {epoch}."
        if self.is_improvement:
            return f"Improved: {change} it was not trained on, after epoch {epoch}."
        if self.favours_start:
            return f"Not known whether it improved: {change}, after epoch {epoch}."
        if self.is_start:
            return (
                f"Not improved: no better than the starting weights ({change}). The best weights "
                "of this run are the starting weights."
            )
        return f"Hardly improved: {change}."

    def _small_lesions(self) -> str:
        before, after = self.before.get("small_lesions"), self.after.get("small_lesions")
        if before is None or after is None:
            return ""
        return f"Small lesions: {before:.2f} → {after:.2f}."

    def _caveats(self) -> Iterator[str]:
        """Why the scores may not hold for other patients."""
        if not self.is_usable:
            yield (
                f"A mean Dice below {USABLE} is too low to segment patients with these weights: "
                "train longer, or on more cases."
            )
        elif self.is_improvement and not self.seen and len(self.rows()) < _MANY:
            yield "With so few cases this may be chance."
        if self.seen:
            patients = "patient" if len(self.seen) == 1 else "patients"
            yield (
                f"The starting weights had been trained on the {patients} of "
                f"{', '.join(self.seen)}, which raises the scores before and after: they do not "
                "tell whether other patients are segmented better."
            )
        if self.masks.as_validation:
            yield self.masks.as_validation
        if self.favours_start and not self.is_improvement:
            yield "A validation on masks that people drew would show whether it improved."
