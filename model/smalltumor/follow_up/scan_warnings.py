"""What speaks against comparing scans: names of other patients, their order, masks by others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from smalltumor.data.identity.patients import patient_key, patient_of, same_patient
from smalltumor.files.names import name_key
from smalltumor.text import list_text

if TYPE_CHECKING:
    from smalltumor.follow_up.compare import Scan

_DIGITS = re.compile(r"\d+")


def patients_text(scans: Iterable[Scan]) -> str:
    """The patient of the scans; several with "and" between them."""
    patients: dict[str, str] = {}
    for scan in scans:
        patients.setdefault(patient_key(scan.case.name), patient_of(scan.case.name))
    return list_text(patients.values())


def scan_warnings(scans: Iterable[Scan]) -> tuple[str, ...]:
    """Warnings about the patients, the order and the masks of scans, from the first to the last."""
    scans = list(scans)
    return (
        *several_patients(scans),
        *_out_of_order(scans),
        *_different_makers(scans),
        *_different_weights(scans),
    )


def _different_weights(scans: Sequence[Scan]) -> list[str]:
    """A warning for each two scans in a row whose masks are of other weights.

    A mask without a record is passed over.
    """
    known = [(scan.title, scan.made_by) for scan in scans if scan.made_by is not None]
    return [
        f"the masks were made by different weights: that of {before_title} by {before.model}, that "
        f"of {title} by {made_by.model}; changes may be differences between the networks"
        for (before_title, before), (title, made_by) in pairwise(known)
        if made_by.has_other_weights(before)
    ]


def _different_makers(scans: Sequence[Scan]) -> list[str]:
    """A warning if the masks of some scans are of this program, and those of others are not."""
    ours = [scan.title for scan in scans if scan.is_from_this_program]
    others = [scan.title for scan in scans if not scan.is_from_this_program]
    if not ours or not others:
        return []
    return [
        f"the masks are of different origin: {_masks_of(ours)} from this program, "
        f"{_masks_of(others)} from another source, according to the file names; changes may be "
        "differences between those who drew them"
    ]


def _masks_of(titles: Sequence[str]) -> str:
    """Masks of scans, after it was said that masks are meant."""
    return f"{'that' if len(titles) == 1 else 'those'} of {list_text(titles)}"


def _out_of_order(scans: Sequence[Scan]) -> list[str]:
    """A warning if scans without dates are numbered by their names in another order."""
    if any(scan.date for scan in scans):
        return []
    return [
        f"by its name, {later.case.name} is earlier than {earlier.case.name}, but it is compared "
        "as the later scan"
        for earlier, later in pairwise(scans)
        if _is_numbered_after(earlier.case.name, later.case.name)
    ]


def _is_numbered_after(name: str, other: str) -> bool:
    """Whether two names of scans of a patient differ in a number, and the first has the larger."""
    endings = [name_key(n[len(patient_of(n)) :]) for n in (name, other)]
    numbers = [[int(digits) for digits in _DIGITS.findall(ending)] for ending in endings]
    same_form = len({_DIGITS.sub("0", ending) for ending in endings}) == 1
    return same_patient(name, other) and same_form and numbers[0] > numbers[1]


def several_patients(scans: Iterable[Scan]) -> tuple[str, ...]:
    """A warning if the names of the cases are those of several patients; else nothing."""
    scans = list(scans)
    if len({patient_key(scan.case.name) for scan in scans}) < 2:
        return ()
    return (f"the names of the cases belong to several patients: {patients_text(scans)}",)
