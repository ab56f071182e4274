"""Finding the files of a case by the naming of BraTS and similar datasets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from smalltumor.data.dataset_names import scheme_of_names
from smalltumor.data.nifti import is_image_name, stem
from smalltumor.data.volume_files import kind_of_file
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.files.names import safe_name

MODALITIES = ("flair", "t1ce", "t1", "t2")
"""In the channel order of the published backbone."""

OPTIONAL_MODALITIES = ("t1", "t2", "flair")
"""Modalities that a case may lack; enhancing tumour cannot be seen without T1CE."""

MODALITY_TITLES: Mapping[str, str] = MappingProxyType(
    {"flair": "FLAIR", "t1ce": "T1CE", "t1": "T1", "t2": "T2"}
)

LABELS = "labels"

MSD_CHANNELS = ("flair", "t1", "t1ce", "t2")
"""Order of the fourth axis in the Medical Segmentation Decathlon's Task01_BrainTumour."""

_KEYWORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flair": ("flair", "t2f", "t2flair", "t2_flair", "t2-flair"),
        "t1ce": ("t1ce", "t1c", "t1gd", "t1gad", "t1post", "t1_ce", "t1_gd", "t1-ce", "t1-gd"),
        "t1": ("t1", "t1n", "t1w"),
        "t2": ("t2", "t2w"),
        LABELS: ("seg", "segm", "segmentation", "tumor_segmentation", "label", "labels", "mask"),
    }
)
_ROLES = {keyword: role for role, keywords in _KEYWORDS.items() for keyword in keywords}
_ENDING = re.compile(
    r"^(?:(?P<case>.*?)[-_. ])?(?P<keyword>"
    + "|".join(sorted(_ROLES, key=len, reverse=True))
    + r")\Z",
    re.IGNORECASE | re.DOTALL,
)
# Segmentations of other structures, or not by an expert, as in UCSF-PDGM and UPENN-GBM.
_NOT_TUMOUR = re.compile(
    r"(^|[-_. ])(brain|parenchyma|bet|skull|head|approx|auto\w*)[-_]?$", re.IGNORECASE
)


@dataclass
class CaseFiles:
    """The files of one case, found by their names and not yet read.

    Parameters
    ----------
    name : str
        What the files' names have in common, or the folder's name; results are named after it.
    modalities : dict of str to list of Path
        Files of each of `MODALITIES`; with several files for one, the case cannot be read.
    stacked : Path, optional
        A 4D file with all modalities instead (Medical Segmentation Decathlon).
    labels : list of Path
        Segmentations by an expert; may be empty.
    keywords : set of str
        Keywords for the modalities in the names, lower case; they differ between years of BraTS.

    Raises
    ------
    CaseError
        If the name cannot be part of a file's name, see `smalltumor.files.names.safe_name`.
    """

    name: str
    modalities: dict[str, list[Path]] = field(default_factory=dict)
    stacked: Path | None = None
    labels: list[Path] = field(default_factory=list)
    keywords: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.name != safe_name(self.name):
            raise CaseError(f"{self.name!r} is not a name for a case and its results")

    @property
    def scheme_hint(self) -> str | None:
        """Name of the label scheme that goes with these names, if any."""
        return scheme_of_names(self.name, self.keywords)

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities without a file."""
        return () if self.stacked is not None else missing_modalities(self.modalities)

    def problem(self, *, allow_missing: bool = False) -> str | None:
        """Why this cannot be read as a case, or None.

        Parameters
        ----------
        allow_missing : bool
            Whether the case may lack `OPTIONAL_MODALITIES`.
        """
        if self.stacked is not None:
            return None
        for role, paths in [*self.modalities.items(), (LABELS, self.labels)]:
            if len(paths) > 1:
                names = " and ".join(p.name for p in sorted(paths))
                return f"{len(paths)} files for {_title(role)}: {names}; keep one"
        missing = missing_modalities(self.modalities, allow_missing=allow_missing)
        if not missing:
            return None
        existing = ", ".join(p.name for paths in self.modalities.values() for p in paths)
        titles = " and no ".join(_title(m) for m in missing)
        return f"no {titles} image" + (f" beside {existing}" if existing else "")


def missing_modalities(present: Container[str], *, allow_missing: bool = False) -> tuple[str, ...]:
    """Modalities that are not present; with `allow_missing`, only those that every case needs."""
    needed = [m for m in MODALITIES if not (allow_missing and m in OPTIONAL_MODALITIES)]
    return tuple(m for m in needed if m not in present)


def modality_titles(modalities: Iterable[str]) -> str:
    """The titles of modalities as a part of a sentence, such as ``T1, T2 and FLAIR``."""
    *others, last = [MODALITY_TITLES[m] for m in modalities]
    return f"{', '.join(others)} and {last}" if others else last


def find_case_files(path: Path | Sequence[Path]) -> CaseFiles:
    """Find the one case in a folder, next to one of its files, or in a list of files.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder; one file of a case, whose siblings are found; a 4D file; or the files of a case.

    Returns
    -------
    CaseFiles
        Possibly incomplete: see `CaseFiles.problem`.

    Raises
    ------
    CaseError
        If there is no case, or several.
    """
    if not isinstance(path, Path):
        return _only(group_files(path), f"{len(path)} files")
    if _check(path).is_dir():
        images = _image_files(path)
        return _only(group_files(images), str(path)) if images else _refuse(path)
    match = parse_file_name(path) if is_image_name(path) else None
    if match is None:
        return _stacked(path)
    siblings = group_files(p for p in _image_files(path.parent) if _case_of(p) == match[0])
    return _only(siblings, str(path))


def find_cases(folder: Path, *, on_folder: Callable[[int], None] | None = None) -> list[CaseFiles]:
    """Find all cases in a folder and its subfolders, sorted by name, complete or not.

    Parameters
    ----------
    folder : Path
        A folder for each case (BraTS), all files in one folder, or the Decathlon's ``imagesTr``
        or its parent. Links to folders are followed, and each folder is searched once.
    on_folder : callable, optional
        Called with the number of folders searched so far; an exception that it raises ends the
        search.

    Raises
    ------
    CaseError
        If the folder does not exist or has no case.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder} is not a folder")
    found: list[CaseFiles] = []
    visited: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(root)) in visited:  # reached by another link before
            folders.clear()
            continue
        visited.add(real)
        if on_folder is not None:
            on_folder(len(visited))
        folders[:] = sorted(f for f in folders if not f.startswith((".", "labels")))
        files = [Path(root, n) for n in sorted(names) if _is_candidate(n)]
        found += group_files(files)
    if not found:
        raise CaseError(f"{folder} holds no case: no files named like {_EXAMPLES}")
    return sorted(found, key=lambda c: c.name)


def group_files(paths: Iterable[Path]) -> list[CaseFiles]:
    """Group files to cases by the part of the name before the modality.

    Files named by their modality alone form the case of their folder. A single segmentation with
    another name belongs to a single case (BraTS 2020 has one). Files without a modality in their
    name are ignored if there are others; otherwise each is a 4D file.
    """
    cases: dict[str, CaseFiles] = {}
    others: list[Path] = []
    for path in paths:
        match = parse_file_name(path)
        if match is None:
            others.append(path)
            continue
        name, role, keyword = match
        case = cases.setdefault(name.lower(), CaseFiles(case_name(path)))
        case.keywords.add(keyword)
        target = case.labels if role == LABELS else case.modalities.setdefault(role, [])
        target.append(path)
    if not cases:
        return [_stacked(path) for path in others]
    return _adopt_labels(list(cases.values()))


def label_scheme_hint(path: Path) -> str | None:
    """Name of the label scheme that goes with the names around a label file, if any."""
    if parse_file_name(path) is not None:
        around = [case for case in group_files(_image_files(path.parent)) if path in case.labels]
        if around:
            return around[0].scheme_hint
    return scheme_of_names(case_name(path))


def parse_file_name(path: Path) -> tuple[str, str, str] | None:
    """Parse a file's name to case name, role (a modality or `LABELS`) and keyword, or None."""
    match = _ENDING.match(stem(path))
    if match is None:
        return None
    case, keyword = match["case"] or "", match["keyword"].lower()
    if _ROLES[keyword] == LABELS and _NOT_TUMOUR.search(case):
        return None
    return case, _ROLES[keyword], keyword


def case_name(path: Path) -> str:
    """Name of a file's case: the part before the modality, or the folder's name if it is empty."""
    match = parse_file_name(path)
    own = stem(path) if match is None else match[0]
    return safe_name(own) if own.strip(". ") else folder_name(path.parent)


def folder_name(folder: Path) -> str:
    """A folder's name as a case name."""
    return safe_name(Path(os.path.normpath(folder.absolute())).name)


def _adopt_labels(cases: list[CaseFiles]) -> list[CaseFiles]:
    with_images = [c for c in cases if c.modalities]
    orphans = [c for c in cases if not c.modalities]
    if len(with_images) == 1 and not with_images[0].labels:
        for orphan in orphans:
            with_images[0].labels += orphan.labels
    return with_images or orphans


def _stacked(path: Path) -> CaseFiles:
    labels = path.parent.parent / path.parent.name.replace("images", "labels") / path.name
    exists = labels != path and labels.is_file()
    return CaseFiles(case_name(path), stacked=path, labels=[labels] if exists else [])


def _refuse(folder: Path) -> NoReturn:
    """Say that a folder has no images, and what other files it has."""
    others = (p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.is_file())
    for path in others:
        if (kind := kind_of_file(path)) is not None:
            raise CaseError(f"{folder} holds no case; {path.name} {kind}", Remedy(Action.CONVERT))
    raise CaseError(f"{folder} holds no case: no files named like {_EXAMPLES}")


def _only(cases: list[CaseFiles], where: str) -> CaseFiles:
    if not cases:
        raise CaseError(f"{where} holds no case: no files named like {_EXAMPLES}")
    if len(cases) > 1:
        names = ", ".join(c.name for c in cases[:4]) + (", ..." if len(cases) > 4 else "")
        raise CaseError(f"{where} holds {len(cases)} cases ({names}); choose a file of one of them")
    return cases[0]


def _check(path: Path) -> Path:
    try:
        if not path.exists():
            raise CaseError(f"{path} does not exist")
    except OSError as error:  # such as a name that is too long, or no permission
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return path


def _image_files(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if _is_candidate(p.name))
    except OSError as error:
        raise CaseError(f"{folder} cannot be read: {error.strerror or error}") from error


def _is_candidate(name: str) -> bool:
    return is_image_name(Path(name)) and not name.startswith(".")


def _case_of(path: Path) -> str | None:
    match = parse_file_name(path)
    return None if match is None else match[0]


def _title(role: str) -> str:
    return MODALITY_TITLES.get(role, role)


_EXAMPLES = "CASE_flair.nii.gz, CASE_t1.nii.gz, CASE_t1ce.nii.gz, CASE_t2.nii.gz"
