"""Validation Dice before and after training, and whether it improved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smalltumor.labels.regions import Region

NOTEWORTHY = 0.005
"""A smaller difference of the mean Dice is none that a user should act on."""

_MANY = 5


@dataclass(frozen=True)
class RunComparison:
    """Two validations of one run.

    Parameters
    ----------
    before, after : mapping
        Events ``validation`` of the weights it started from and of the best since.
    seen : tuple of str
        Validation cases that the weights it started from had learnt from.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    seen: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """Of the mean Dice of ET, TC and WT."""
        return float(self.after["score"]) - float(self.before["score"])

    @property
    def is_improvement(self) -> bool:
        """Whether the new weights are to be preferred."""
        return self.difference >= NOTEWORTHY

    def rows(self) -> list[tuple[str, dict[Region, tuple[float, float]]]]:
        """Each validation case, and Dice before and after by region."""
        later = {score["case"]: score for score in self.after["by_case"]}
        return [
            (score["case"], {r: (score[r.value], later[score["case"]][r.value]) for r in Region})
            for score in self.before["by_case"]
            if score["case"] in later
        ]

    @property
    def message(self) -> str:
        """What to make of it, in a sentence or two."""
        cases = len(self.rows())
        where = "1 case" if cases == 1 else f"{cases} cases"
        change = f"mean Dice {self.before['score']:.3f} → {self.after['score']:.3f} on {where}"
        if self.is_improvement:
            text = f"Worth it: {change} it did not learn from, after epoch {self.after['epoch']}."
        elif self.after["epoch"] == 0 or self.difference <= 0:
            text = f"Not worth it: no better than the weights it started from ({change})."
        else:
            text = f"Hardly worth it: {change}."
        small = self.before.get("small_lesions"), self.after.get("small_lesions")
        if None not in small:
            text += f" Small lesions: {small[0]:.2f} → {small[1]:.2f}."
        if self.is_improvement and cases < _MANY:
            text += " So few cases can mislead."
        if self.seen:
            text += (
                f" The weights it started from had learnt from {', '.join(self.seen)},"
                " so that the figure before flatters them."
            )
        return text
