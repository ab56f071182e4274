"""Label files whose names are BIDS labels, which have letters and digits of a case's name only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smalltumor.data.identity.bids_labels import bids_labels, is_bids_name, may_be_of_patient
from smalltumor.errors import CaseError
from smalltumor.evaluation.find_label_files import LabelFile
from smalltumor.files.names import name_key

Labels = tuple[str, str]


def named_as_cases(files: Sequence[LabelFile], cases: Mapping[str, Path | None]) -> list[LabelFile]:
    """The files, with the names of the cases whose BIDS labels they have.

    A file is renamed if either name is one of BIDS, no case has the name of the file, and no file
    that of the case; and not if the description beside a mask names another patient, or the labels
    may as well be those of a case or a file that has its counterpart by name.

    Parameters
    ----------
    files : sequence of LabelFile
    cases : mapping of str to Path or None
        Names, each with the label file of the case on the other side.

    Raises
    ------
    CaseError
        If a file may be of two cases, neither of which has a file by name.
    """
    keys, taken = {name_key(case) for case in cases}, {name_key(file.name) for file in files}
    by_labels: dict[Labels, list[str]] = {}
    for case in cases:
        by_labels.setdefault(bids_labels(case).key, []).append(case)
    found = {file: _cases_of(file, by_labels, cases) for file in files}
    named = {file for file in files if name_key(file.name) in keys}
    taken |= {name_key(case) for file in named for case in found[file]}
    unnamed = {file for file in files if taken.isdisjoint(map(name_key, found[file]))} - named
    return [_renamed(file, found[file]) if file in unnamed else file for file in files]


def _cases_of(
    file: LabelFile, by_labels: Mapping[Labels, Sequence[str]], cases: Mapping[str, Path | None]
) -> list[str]:
    """The cases that a file may be of by its BIDS labels."""
    return [
        case
        for case in by_labels.get(bids_labels(file.name).key, ())
        if (is_bids_name(file.name) or is_bids_name(case))
        and may_be_of_patient(file.path, case)
        and ((truth := cases[case]) is None or may_be_of_patient(truth, file.name))
    ]


def _renamed(file: LabelFile, cases: Sequence[str]) -> LabelFile:
    if len(cases) > 1:
        raise CaseError(
            f"by its BIDS labels, {file.path} may be of {' or of '.join(sorted(cases))}; rename it "
            "to CASE.nii.gz"
        )
    return replace(file, name=cases[0]) if cases else file
