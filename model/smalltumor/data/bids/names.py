"""Subject, session and files of a case in a BIDS derivative dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

from smalltumor.data.identity.patients import patient_of, same_patient
from smalltumor.data.identity.visits import visit_in_name
from smalltumor.errors import CaseError
from smalltumor.files.listings import entries
from smalltumor.files.names import name_key

_MASK, _SUFFIXES = "seg-tumor_dseg", (".nii.gz", ".json", ".tsv")


def bids_paths(case: str, dataset: Path, session: str = "") -> list[Path]:
    """Image, description and table of a case in a dataset.

    The patient of the case, see `patient_of`, is the subject, and the rest of the name the session;
    labels have letters and digits only.

    Parameters
    ----------
    case : str
    dataset : Path
    session : str
        The session, such as the name of a visit; by default what the case's name states.

    Raises
    ------
    CaseError
        If the name has none.
    """
    entities = {part[:4].lower(): part[4:] for part in reversed(case.split("_"))}
    subject, visit = patient_of(case), visit_in_name(case)
    if case.lower().startswith("sub-"):
        subject, visit = entities["sub-"], entities.get("ses-", visit)
    labels = _alphanumeric(subject), session_label(session) or _alphanumeric(visit)
    if not labels[0]:
        raise CaseError(f"{case} has no letters or digits that can name a BIDS subject")
    named = [f"{e}-{label}" for e, label in zip(("sub", "ses"), labels, strict=True) if label]
    stem = dataset.joinpath(*named, "anat", "_".join([*named, _MASK]))
    return [stem.with_name(stem.name + suffix) for suffix in _SUFFIXES]


def subject_of(case: str) -> str:
    """The subject of a case, such as ``sub-P1``.

    Raises
    ------
    CaseError
        As `bids_paths`.
    """
    return bids_paths(case, Path())[0].parts[0]


def check_subjects(cases: Iterable[str]) -> None:
    """Check that no two patients are one subject, whose sessions would be of both.

    Raises
    ------
    CaseError
        Naming two cases.
    """
    owners: dict[str, str] = {}
    for case in cases:
        subject = subject_of(case)
        owner = owners.setdefault(name_key(subject), case)
        if not same_patient(owner, case):
            raise CaseError(
                f"the patients of {owner} and {case} would both be {subject}; rename one"
            )


def session_label(text: str) -> str:
    """The letters and digits of the name of a visit: ``20210315`` of ``2021-03-15``."""
    return _alphanumeric(text.removeprefix("ses-"))


def _alphanumeric(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", normalize("NFC", text))


def masks_of_subject(case: str, dataset: Path) -> list[Path]:
    """The masks of all sessions of a case's subject in a dataset, sorted.

    Raises
    ------
    CaseError
        If a folder of the subject cannot be listed, or as `bids_paths`.
    """
    subject, ending = dataset / subject_of(case), f"_{_MASK}{_SUFFIXES[0]}"
    found = [path for each in (subject, *entries(subject)) for path in entries(each / "anat")]
    return sorted(path for path in found if path.name.endswith(ending))


def session_of(mask: Path) -> str:
    """The session that the name of a mask states, without ``ses-``; empty if it states none."""
    named = (part.removeprefix("ses-") for part in mask.name.split("_") if part.startswith("ses-"))
    return next(named, "")
