"""Which cases a run trains on and which it validates on, kept for the whole run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smalltumor.errors import TrainingError


@dataclass(frozen=True)
class Split:
    """Training and validation cases, by name.

    The split is drawn once. If it were drawn again on resume, a case added meanwhile would move
    others between the two sets, and validation would use cases that the network was trained on.

    Parameters
    ----------
    training : tuple of str
        Cases of the steps to come, in the order in which crops are drawn from them.
    validation : tuple of str
    trained_on : tuple of str
        Every case the run has ever trained on, those that were removed since included.
    """

    training: tuple[str, ...]
    validation: tuple[str, ...]
    trained_on: tuple[str, ...]

    @classmethod
    def draw(cls, names: Sequence[str], held_out: Sequence[str], folds: int, fold: int) -> Split:
        """Hold out every `folds`-th case from case `fold` on.

        Parameters
        ----------
        names : sequence of str
            All cases but `held_out`, sorted.
        held_out : sequence of str
            Cases that are held out in any case.
        folds, fold : int
            See `TrainingConfig`; 0 folds hold out no further case.

        Raises
        ------
        TrainingError
            If nothing is left to train on, or the fold is empty.
        """
        validation = list(held_out)
        if folds:
            in_fold = names[fold::folds]
            if not in_fold:
                raise TrainingError(
                    f"fold {fold} of {folds} is empty: there are only {len(names)} cases"
                )
            validation += in_fold
        training = tuple(name for name in names if name not in set(validation))
        if not training:
            raise TrainingError(
                f"no case is left to train on: {len(validation)} of {len(validation)} cases are "
                "held out for validation"
            )
        return cls(training, tuple(validation), training)

    @classmethod
    def from_events(cls, events: Iterable[Mapping[str, Any]]) -> Split | None:
        """The split of a run whose ``config.json`` does not hold one, from its ``start`` events.

        Such a run drew its split on every start. What it has trained on is known; validation
        keeps the cases that it has not trained on.
        """
        starts = [event for event in events if event["event"] == "start"]
        if not starts or "training" not in starts[-1]:
            return None
        trained_on = tuple(dict.fromkeys(n for e in starts for n in e.get("training", ())))
        last = starts[-1]
        validation = tuple(n for n in last.get("validation", ()) if n not in trained_on)
        return cls(tuple(last["training"]), validation, trained_on)

    def resumed(self, names: Sequence[str], held_out: Sequence[str]) -> Split:
        """The split for the cases that there are now.

        Cases that are new are trained on. A training case that has gone is left out: the run is
        only trained on fewer cases from here on. A validation case that has gone is an error,
        because scores before and after would not be comparable.

        Parameters
        ----------
        names : sequence of str
            All cases of the data folder now.
        held_out : sequence of str
            Cases of the validation folder now. They are not trained on. If the run has held out
            no case so far, it validates on them from here on.

        Raises
        ------
        TrainingError
            If a validation case has gone, no training case is left, or a case to be held out
            has been trained on.
        """
        validation = self.validation or tuple(held_out)
        missing = [n for n in self.validation if n not in {*names, *held_out}]
        if missing:
            raise TrainingError(
                f"{', '.join(missing)}: this validation case of the run has gone, so later scores "
                "would not be comparable with earlier ones; put it back, or start a new run from "
                "the best weights"
            )
        seen = [name for name in validation if name in self.trained_on]
        if seen:
            raise TrainingError(
                f"{', '.join(seen)}: the run has been trained on this case and cannot validate on "
                "it; start a new run"
            )
        not_trained = {*validation, *held_out}
        known = [name for name in self.training if name in names and name not in not_trained]
        met = {*self.training, *not_trained}
        training = (*known, *(name for name in names if name not in met))
        if not training:
            raise TrainingError("none of the run's training cases is there any more")
        return Split(training, validation, tuple(dict.fromkeys((*self.trained_on, *training))))

    def to_dict(self) -> dict[str, list[str]]:
        """Plain values for ``config.json``."""
        return {
            "training": list(self.training),
            "validation": list(self.validation),
            "trained_on": list(self.trained_on),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Split:
        """The inverse of `to_dict`."""
        names = ("training", "validation", "trained_on")
        return cls(*(tuple(map(str, values[name])) for name in names))
