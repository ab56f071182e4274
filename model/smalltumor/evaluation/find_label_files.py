"""The label files in a folder: experts', predicted, exported and reviewed masks."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.data.identity.mask_images import t1ce_beside
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.cohort_names import (
    REVIEW_TABLE,
    case_and_number,
    is_folder_of_reviews,
)
from smalltumor.data.naming.export_names import region_file
from smalltumor.data.naming.file_names import LABELS, case_name, name_of_folder, parse_file_name
from smalltumor.data.naming.find_cases import label_scheme_hint
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.volumes.nifti import (
    is_image_name,
    is_nifti_name,
    label_scheme_of,
    read_header,
    stem,
)
from smalltumor.data.volumes.volume_files import volume_shape
from smalltumor.errors import CaseError
from smalltumor.files.existence import is_absent, is_file, is_folder, unreachable_as
from smalltumor.files.listings import walk_once
from smalltumor.files.names import file_key, name_key
from smalltumor.files.tables import read_table
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import scheme_of_header

_PREDICTED = re.compile(r"[-_. ](pred|prediction|predicted)$", re.IGNORECASE)
_NO_MASK = re.compile(rf"[-_. ]({'|'.join(Region)}|candidates)$", re.IGNORECASE)


@dataclass(frozen=True)
class LabelFile:
    """A label volume on disk.

    Parameters
    ----------
    name : str
        Name of its case.
    path : Path
    hint : str or None
        Label scheme that is inferred from the names of neighbouring files.
    t1ce : Path or None
        The T1CE of its case, if that lies beside it.
    is_doubtful : bool
        Whether it has the name of the mask of one region, or of candidates, and may be the label
        file of a case with such a name, such as *M1_WT*.
    """

    name: str
    path: Path
    hint: str | None = None
    t1ce: Path | None = None
    is_doubtful: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.path.parent


def label_files_in(path: Path, *, exported_first: bool = False) -> list[LabelFile]:
    """The given label file, or all label files in a folder and its subfolders, linked ones too.

    In a folder, a file is a label file if its name has the suffix of one (``_seg``, ``-seg``,
    ``_segm``, ...). A 3D file whose name has no suffix of a modality, of a region or of candidates
    is one as well, if the same folder contains no images. So is a mask that was exported from the
    window (``_smalltumor``); beside an expert's mask, it is taken if `exported_first` is true.
    Doubtful ones are among them, see `without_doubtful`. Empty if there is none in a folder.

    Raises
    ------
    CaseError
        If there is no such path.
    """
    with unreachable_as(CaseError):
        is_single, is_searched = is_file(path), is_folder(path)
    if is_single:
        if _holds_no_classes(path):
            return [_doubtful(path)]
        return [LabelFile(_case_name(path), path, label_scheme_hint(path), t1ce_beside(path))]
    if not is_searched:
        raise CaseError(f"{path} does not exist")
    label_files: list[LabelFile] = []
    for root, folders, names in walk_once(path):
        folders[:] = sorted(f for f in folders if _may_hold_masks(root / f))
        files = (root / n for n in names if not n.startswith("."))
        images = [f for f in files if is_image_name(f)]
        of_reader = is_folder_of_reviews(root.resolve().parent)
        label_files += _last_reviews(images) if of_reader else _in_folder(images, exported_first)
    return label_files


def without_doubtful(
    files: Iterable[LabelFile], path: Path, others: Container[str] = ()
) -> list[LabelFile]:
    """The files without doubtful ones, unless the other side has a case of their name.

    Parameters
    ----------
    files : iterable of LabelFile
        Of `label_files_in`.
    path : Path
        Where they are.
    others : container of str
        `name_key` of the cases of the other side.

    Raises
    ------
    CaseError
        If there is none, or the only file is named as the mask of a region.
    """
    found = [file for file in files if not file.is_doubtful or _is_case(file, others)]
    if found:
        return found
    if path.is_file():
        raise CaseError(
            f"{path} is named as the mask of one region, or as candidates; name a label file with "
            "all classes"
        )
    raise CaseError(f"{path} contains no label file such as CASE.nii.gz or CASE_seg.nii.gz")


def _is_case(file: LabelFile, others: Container[str]) -> bool:
    return name_key(file.name) in others and len(volume_shape(file.path)) == 3


def _doubtful(path: Path) -> LabelFile:
    name = _PREDICTED.sub("", stem(path))
    return LabelFile(name, path, label_scheme_hint(path), t1ce_beside(path), is_doubtful=True)


def _may_hold_masks(folder: Path) -> bool:
    """Whether masks in a folder are not those of readers, of cases that have other masks here."""
    return not folder.name.startswith((".", "images")) and not is_folder_of_reviews(folder)


def _in_folder(files: list[Path], exported_first: bool) -> list[LabelFile]:
    named = [f for f in files if parse_file_name(f) is not None]
    cases = group_files(named)
    exported = _exported(files, cases)
    label_files = [
        LabelFile(case.name, path, case.scheme_hint, _t1ce(case))
        for case in cases
        for path in case.labels
    ]
    if any(case.modalities for case in cases):
        first, second = (exported, label_files) if exported_first else (label_files, exported)
        names = {name_key(file.name) for file in first}
        label_files = [*first, *(file for file in second if name_key(file.name) not in names)]
    else:
        unnamed = [f for f in files if f not in named]
        doubtful = [f for f in unnamed if _holds_no_classes(f)]
        label_files += [
            LabelFile(_case_name(f), f, label_scheme_hint(f))
            for f in unnamed
            if f not in doubtful and len(volume_shape(f)) == 3
        ]
        label_files += map(_doubtful, doubtful)
    return label_files


def _exported(files: Iterable[Path], cases: Iterable[CaseFiles]) -> list[LabelFile]:
    """Label files that were exported from the window."""
    images = {file_key(case.name): _t1ce(case) for case in cases}
    masks = (mask for file in files if (mask := region_file(file)) and mask.region is None)
    return [LabelFile(m.case, m.path, None, images.get(file_key(m.case))) for m in masks]


def _t1ce(case: CaseFiles) -> Path | None:
    return next(iter(case.modalities.get(REFERENCE, ())), None)


def _last_reviews(files: list[Path]) -> list[LabelFile]:
    """The mask of each case that a reader has saved last; masks without a number are older."""
    last: dict[str, tuple[int, Path]] = {}
    counted = {folder: _counted(folder) for folder in {file.parent for file in files}}
    for file in files:
        name, number = case_and_number(stem(file))
        of_folder = counted[file.parent]
        if number and of_folder is not None and (name_key(name), number) not in of_folder:
            continue
        key = name_key(_case_of_review(file))
        last[key] = max((number, file), last.get(key, (number, file)))
    return [LabelFile(_case_of_review(file), file) for _, file in last.values()]


def _case_of_review(file: Path) -> str:
    name, _ = case_and_number(stem(file))
    return _case_name(file.with_name(f"{name}.nii.gz"))


def _counted(folder: Path) -> set[tuple[str, int]] | None:
    """Case and number of each review in a reader's table; None if there is no table.

    A process that was killed while it saved a review leaves a mask without a row.
    """
    table = folder / REVIEW_TABLE
    if is_absent(table):
        return None
    rows = read_table(table, ("case", "number"))
    return {(name_key(row["case"]), int(row["number"])) for row in rows if row["number"].isdigit()}


def _holds_no_classes(path: Path) -> bool:
    """Whether a file is the mask of one region, or candidates, by its name.

    The mask of a case *M1_WT* is neither: its header names a label scheme.
    """
    return _NO_MASK.search(stem(path)) is not None and not _names_scheme(path)


def _names_scheme(path: Path) -> bool:
    """Whether the header of a file names a label scheme."""
    try:
        named = label_scheme_of(read_header(path)) if is_nifti_name(path) else ""
        return scheme_of_header(named) is not None
    except CaseError:
        return False


def _case_name(path: Path) -> str:
    exported = region_file(path)
    if exported is not None:
        return exported.case
    match = parse_file_name(path)
    if match is not None and match[1] == LABELS:
        return case_name(path)
    return _PREDICTED.sub("", stem(path)) or name_of_folder(path.parent)
