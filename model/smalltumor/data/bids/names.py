"""Subject, session and files of a case in a BIDS derivative dataset."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smalltumor.data.identity.bids_labels import bids_labels
from smalltumor.data.identity.patients import same_patient
from smalltumor.errors import CaseError
from smalltumor.files.listings import entries
from smalltumor.files.names import name_key

_MASK, _SUFFIXES = "seg-tumor_dseg", (".nii.gz", ".json", ".tsv")


def bids_paths(case: str, dataset: Path, session: str = "") -> list[Path]:
    """Image, description and table of a case in a dataset.

    Parameters
    ----------
    case : str
    dataset : Path
    session : str
        As in `bids_labels`.

    Raises
    ------
    CaseError
        If the name has none.
    """
    labels = bids_labels(case, session)
    if not labels.subject:
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
