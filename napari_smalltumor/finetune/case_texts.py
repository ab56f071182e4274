"""Which cases a run trains on and validates on, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smalltumor.text import pluralize
from smalltumor.training.runs.status import RunStatus

_NAMED = 6


@dataclass(frozen=True)
class RunCases:
    """The cases of a run by what they are for.

    Parameters
    ----------
    training, validation : tuple of str
        Names of cases.
    left_out : tuple of str
        Scans of patients of the validation cases, which are on neither side.
    validation_folder : Path or None
        Another folder whose cases validate.
    added, removed : tuple of str
        Training cases that came and went when the run was resumed.
    """

    training: tuple[str, ...]
    validation: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    validation_folder: Path | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def of_run(cls, status: RunStatus) -> RunCases:
        """The cases of a run that has started."""
        return cls(
            status.training,
            status.validation,
            status.left_out,
            added=status.added,
            removed=status.removed,
        )


def cases_text(cases: RunCases, *, all_names: bool = False) -> str:
    """Which cases train, which validate, and which do neither; empty without training cases.

    Parameters
    ----------
    cases : RunCases
    all_names : bool
        Name each case, however many there are.
    """
    if not cases.training:
        return ""
    most = len(cases.training) + len(cases.validation) if all_names else _NAMED
    number = pluralize(len(cases.training), "case")
    sentences = [f"Trains on {number}: {_names(cases.training, most)}.", _validation(cases, most)]
    if cases.left_out:
        which = "a scan" if len(cases.left_out) == 1 else "scans"
        names = _names(cases.left_out, most)
        sentences.append(f"Not used, as {which} of a validation patient: {names}.")
    if cases.added:
        names = _names(cases.added, most)
        sentences.append(f"Since it was resumed, the run also trains on {names}.")
    if cases.removed:
        names = _names(cases.removed, most)
        sentences.append(f"Since it was resumed, it no longer trains on {names}.")
    return " ".join(sentences)


def _validation(cases: RunCases, most: int) -> str:
    if cases.validation_folder is not None:
        return f"Validates on the cases in {cases.validation_folder}."
    if not cases.validation:
        return "No case validates, so nothing will show whether the network improves."
    number, names = pluralize(len(cases.validation), "case"), _names(cases.validation, most)
    return f"Validates on {number}: {names} (split by patient)."


def _names(names: Sequence[str], most: int) -> str:
    if len(names) <= most + 1:  # "and 1 more" would be no shorter
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
