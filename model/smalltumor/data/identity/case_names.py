"""Which case a name states: that of a file, a mask, or a layer.

Names are compared by their `name_key`.
"""

from __future__ import annotations

import re
from pathlib import Path

from smalltumor.data.identity.patients import (
    key_of_patient,
    patient_of,
    same_patient,
    states_visit,
)
from smalltumor.data.identity.visits import name_with_visit
from smalltumor.data.naming.visit_names import is_numbered_version, may_be_version
from smalltumor.files.names import name_key, safe_name

_DIGITS = re.compile(r"\d+")
_NUMBER_ALONE = re.compile(r"\d+(?![^\W_])")
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_WORD_ENDS = re.compile(r"(?<=[^\W_])(?=[\W_]|\Z)")


def continues_name(name: str, case: str) -> bool:
    """Whether a name is that of a case, or continues it.

    ``P1_pred`` and ``P1 ET`` continue ``P1``; ``P10``, ``P1b`` and ``P1test`` are other names.
    """
    name, case = name_key(name), name_key(case)
    return name.startswith(case) and not name[len(case) :][:1].isalnum()


def states_case(name: str, case: str) -> bool:
    """Whether a name states a case: it continues the case's name, and states no other scan."""
    return continues_name(name, case) and not states_other_scan(name, case)


def is_named_after(name: str, case: str, folder: Path | None) -> bool:
    """Whether a name states a case, with or without the visit of the folder of its images."""
    return any(states_case(name, own) for own in (safe_name(case), name_with_visit(case, folder)))


def states_other_case(name: str, case: str) -> bool:
    """Whether a name states another patient, or another scan of the patient, than a case.

    Another patient is stated by another number in a name of the same form, such as ``P8`` or
    ``P70`` for ``P7``. Whether any other name is that of a patient cannot be told.
    """
    own, other = (key_of_patient(patient_of(each)) for each in (case, name))
    return differ_by_number(own, other) or states_other_scan(name, case)


def states_scan(name: str, case: str) -> bool:
    """Whether a name has the form of a scan's, such as ``P_visit2``, beside that of a case.

    ``P_v2`` and ``P_post`` are scans only among scans: for a case ``P``, and anything but a
    patient's name, they are a version of a mask.
    """
    if not states_visit(name):
        return False
    if not may_be_version(name):
        return True
    if may_be_version(case) and is_numbered_version(name) == is_numbered_version(case):
        return True
    return states_visit(case) and same_patient(name, case)


def states_other_scan(name: str, case: str) -> bool:
    """Whether a name begins with that of another scan of the patient of a case.

    ``P_visit2_pred`` states ``P_visit2``, which is another scan than ``P_visit1``, and is not known
    to be ``P``. The ``sub-`` of BIDS says nothing of the scan.
    """
    starts = (name[: end.start()] for end in _WORD_ENDS.finditer(name))
    scans = [s for s in starts if states_scan(s, case) and same_patient(s, case)]
    if name_key(name).startswith("sub-"):
        scans = scans[:1]  # with what follows the session of BIDS, it is the same scan
    own = key_of_patient(case)
    return any(not continues_name(own, key_of_patient(scan)) for scan in scans)


def differ_by_number(own: str, other: str) -> bool:
    """Whether a name begins in the form of one with a number, but not with that name itself.

    For a name of digits alone, that is a number of about as many digits: no ``2nd`` and no year.
    """
    if own.isdigit():
        number = _NUMBER_ALONE.match(other)
        return number is not None and number[0] != own and abs(len(number[0]) - len(own)) <= 1
    forms = [_DIGITS.sub("0", name_key(name)) for name in (own, other)]
    same_form = forms[1].startswith(forms[0])
    return same_form and _DIGITS.search(own) is not None and not continues_name(other, own)


def ends_with_other_number(name: str, case: str, within: str) -> bool:
    """Whether a name has the form of a case's end, but another number in the place of one of it.

    ``case13`` and ``13`` end in the form of ``case_12``, ``visit2`` in that of ``Anna_visit1``.

    Parameters
    ----------
    name, case : str
    within : str
        The beginning of the case's name in which the number is looked for: that of the patient, or
        the whole name.
    """
    own, parts = _PARTS.findall(name_key(case)), _PARTS.findall(name_key(name))
    first = len(own) - len(parts)
    if first < 0:
        return False
    pairs = list(zip(own[first:], parts, strict=True))
    if any(a != b and not _are_numbers(a, b) for a, b in pairs):
        return False
    inside = len(_PARTS.findall(name_key(within))) - first
    return any(a != b and int(a) != int(b) for a, b in pairs[: max(inside, 0)])


def _are_numbers(one: str, other: str) -> bool:
    """Whether both are numbers of about as many digits; a year is no number of a patient."""
    return one.isdecimal() and other.isdecimal() and abs(len(one) - len(other)) <= 1
