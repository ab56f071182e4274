"""Which case a mask is of, by its name."""

from __future__ import annotations

import re
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.masks.exported import region_file
from smalltumor.data.naming.file_names import LABELS, continues_name, parse_file_name
from smalltumor.data.patients import patient_of
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError

_DIGITS = re.compile(r"\d+")
_WORD_ENDS = re.compile(r"(?<=[^\W_])(?=[\W_]|\Z)")


def check_patient(path: Path, case: Case) -> None:
    """Check that the name of a mask does not state another patient.

    A name states a patient before an ending such as ``_seg``, unless the file lies beside the
    images, and by a number in place of that of the case.

    Raises
    ------
    CaseError
        If it does.
    """
    named = named_case(path)
    own, other = patient_of(case.name).lower(), patient_of(named or stem(path)).lower()
    if continues_name(other, own):
        return
    if (named and not is_in_folder_of(path, case)) or _differ_by_number(own, other):
        raise _another(path, named or stem(path), case)


def check_case(path: Path, case: Case) -> None:
    """Check that the name of a mask states neither another patient nor another scan.

    Raises
    ------
    CaseError
        If it does.
    """
    check_patient(path, case)
    named = named_case(path)
    name = named or stem(path)
    if continues_name(name.lower(), case.name.lower()):
        return
    if _states_scan(name, patient_of(case.name)) or (
        named is not None and (patient_of(named) != named or _has_images(path.parent, named))
    ):
        raise _another(path, name, case)


def named_case(path: Path) -> str | None:
    """The case that the name of a mask states before a known ending; None if it states none."""
    exported = region_file(path)
    if exported is not None:
        return exported.case
    parsed = parse_file_name(path)
    return parsed[0] or None if parsed is not None and parsed[1] == LABELS else None


def is_in_folder_of(path: Path, case: Case) -> bool:
    """Whether a file lies in a folder of the case's images, or is the case's own mask."""
    folders = {p.parent.resolve() for p in case.paths.values()}
    return path == case.labels_path or path.parent.resolve() in folders


def _another(path: Path, named: str, case: Case) -> CaseError:
    return CaseError(f"by its name, {path.name} is a mask of {named}, not of {case.name}")


def _states_scan(name: str, patient: str) -> bool:
    """Whether a name begins with that of a scan of a patient, such as P_visit2 of P_visit2_pred."""
    starts = (name[: match.start()] for match in _WORD_ENDS.finditer(name))
    return any(patient_of(s) != s and patient_of(s).lower() == patient.lower() for s in starts)


def _has_images(folder: Path, case: str) -> bool:
    """Whether a folder has images of a case."""
    parsed = (parse_file_name(path) for path in folder.glob("*.nii*"))
    return any(p is not None and p[0] == case and p[1] != LABELS for p in parsed)


def _differ_by_number(own: str, other: str) -> bool:
    """Whether one name is like the other with other digits, such as another number of a series."""
    same_form = _DIGITS.sub("0", other).startswith(_DIGITS.sub("0", own))
    return same_form and bool(_DIGITS.search(own)) and not continues_name(other, own)
