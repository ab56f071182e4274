"""Matching of predicted label files with those of the ground truth."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.naming.find_cases import distinct_names
from smalltumor.errors import CaseError
from smalltumor.evaluation.bids_label_files import named_as_cases
from smalltumor.evaluation.find_label_files import LabelFile, label_files_in, without_doubtful
from smalltumor.files.names import name_key

_NONE: Mapping[str, Path | None] = MappingProxyType({})


@dataclass(frozen=True)
class Pairing:
    """Label files of predictions and truth, matched by case.

    Parameters
    ----------
    pairs : list of (prediction, truth)
        Sorted by case name.
    without_truth, without_prediction : list of LabelFile
        Files of cases that the other side does not have.
    """

    pairs: list[tuple[LabelFile, LabelFile]]
    without_truth: list[LabelFile]
    without_prediction: list[LabelFile]


def pair_label_files(predictions: Path, truth: Path) -> Pairing:
    """Match label files by the name of their case; suffixes of the file name are ignored.

    A mask in a BIDS dataset is of the case whose labels it has, see `named_as_cases`. If each side
    has one file, and at least one side is given as a file, names are ignored.

    Parameters
    ----------
    predictions, truth : Path
        A label file, or a folder that contains label files at any depth. Beside the images of a
        case, a mask that was exported from the window is the prediction, and an expert's the truth.

    Raises
    ------
    CaseError
        If a side has no label file, or two for one case, a mask in a BIDS dataset may be of two
        cases, or no case is on both sides.
    """
    ours, theirs = label_files_in(predictions, exported_first=True), label_files_in(truth)
    true = _by_name(theirs, truth, _keys(ours))
    cases: dict[str, Path | None] = {file.name: file.path for file in true.values()}
    predicted = _by_name(ours, predictions, _keys(theirs), cases)
    if len(predicted) == len(true) == 1 and (predictions.is_file() or truth.is_file()):
        return Pairing([(*predicted.values(), *true.values())], [], [])  # type: ignore[list-item]
    common = sorted(set(predicted) & set(true))
    if not common:
        raise CaseError(
            f"no case of {predictions} ({_first_names(predicted)}) is in {truth} "
            f"({_first_names(true)}); "
            "name the files CASE.nii.gz or CASE_seg.nii.gz on both sides"
        )
    pairs = [(predicted[name], true[name]) for name in common]
    different = [(ours, theirs) for ours, theirs in pairs if not ours.path.samefile(theirs.path)]
    same = [theirs for ours, theirs in pairs if different and ours.path.samefile(theirs.path)]
    unpredicted = [true[name] for name in sorted(set(true) - set(predicted))]
    return Pairing(
        pairs=different or pairs,
        without_truth=[predicted[name] for name in sorted(set(predicted) - set(true))],
        without_prediction=[*unpredicted, *same],
    )


def masks_of_cases(predictions: Path, cases: Iterable[str]) -> dict[str, Path]:
    """The predicted masks of cases by name, as `pair_label_files` matches them."""
    by_key = {name_key(case): case for case in cases}
    found = label_files_in(predictions, exported_first=True)
    files = _by_name(found, predictions, by_key, dict.fromkeys(by_key.values()))
    if len(files) == 1:
        return dict.fromkeys(by_key.values(), next(iter(files.values())).path)
    return {case: files[key].path for key, case in by_key.items() if key in files}


def _keys(files: Iterable[LabelFile]) -> set[str]:
    """`name_key` of the cases of files that are surely label files."""
    return {name_key(file.name) for file in files if not file.is_doubtful}


def _by_name(
    files: list[LabelFile],
    path: Path,
    others: Container[str],
    cases: Mapping[str, Path | None] = _NONE,
) -> dict[str, LabelFile]:
    """The files by `name_key` of their cases.

    Parameters
    ----------
    files : list of LabelFile
    path : Path
        Where they are.
    others : container of str
        `name_key` of the cases of the other side.
    cases : mapping of str to Path or None
        Those whose BIDS labels files may have, as of `named_as_cases`.
    """
    named = _with_distinct_names(without_doubtful(files, path, others), path)
    file_of_case: dict[str, LabelFile] = {}
    for file in named_as_cases(named, cases):
        other = file_of_case.setdefault(name_key(file.name), file)
        if other is not file:
            raise CaseError(
                f"{other.path} and {file.path} are both for the case {file.name}; keep one"
            )
    return file_of_case


def _with_distinct_names(files: list[LabelFile], path: Path) -> list[LabelFile]:
    """The files, named as `smalltumor cohort` names the cases of a folder."""
    if path.is_file():
        return files
    names = distinct_names(files, path)
    return [replace(file, name=name) for file, name in zip(files, names, strict=True)]


def _first_names(files: Iterable[str]) -> str:
    names = sorted(files)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
