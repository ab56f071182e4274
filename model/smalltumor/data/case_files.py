"""How BraTS and its relatives name the files of a case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.nifti import is_nifti_name, stem
from smalltumor.errors import CaseError
from smalltumor.files.names import safe_name

MODALITIES = ("flair", "t1ce", "t1", "t2")
"""In the channel order of the published backbone."""

MODALITY_TITLES: Mapping[str, str] = MappingProxyType(
    {"flair": "FLAIR", "t1ce": "T1CE", "t1": "T1", "t2": "T2"}
)

LABELS = "labels"

MSD_CHANNELS = ("flair", "t1", "t1ce", "t2")
"""Order of the fourth axis in the Medical Segmentation Decathlon's Task01_BrainTumour."""

_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flair": ("flair", "t2f", "t2flair", "t2_flair", "t2-flair"),
        "t1ce": ("t1ce", "t1c", "t1gd", "t1gad", "t1post", "t1_ce", "t1_gd", "t1-ce", "t1-gd"),
        "t1": ("t1", "t1n", "t1w"),
        "t2": ("t2", "t2w"),
        LABELS: ("seg", "segm", "segmentation", "tumor_segmentation", "label", "labels", "mask"),
    }
)
_ROLE = {word: role for role, words in _WORDS.items() for word in words}
_ENDING = re.compile(
    r"^(?:(?P<case>.*?)[-_. ])?(?P<word>" + "|".join(sorted(_ROLE, key=len, reverse=True)) + r")\Z",
    re.IGNORECASE | re.DOTALL,
)
# Relatives of a segmentation that are not the tumour's: UCSF-PDGM has three, UPENN-GBM one.
_NOT_TUMOUR = re.compile(r"(brain|parenchyma|approx|auto\w*)[-_]?$", re.IGNORECASE)
_BRATS_2023 = frozenset(("t1n", "t2w", "t2f"))


@dataclass
class CaseFiles:
    """The files of one case, found by their names and not yet read.

    Parameters
    ----------
    name : str
        What the files' names have in common, or the folder's name; results are named after it.
    modalities : dict of str to list of Path
        Files for each of `MODALITIES`; more than one for a modality is for the user to solve.
    stacked : Path, optional
        One 4D file that holds all four instead (Medical Segmentation Decathlon).
    labels : list of Path
        Segmentations by an expert, if any.
    words : set of str
        The endings met, lower case; they tell the year of BraTS.

    Raises
    ------
    CaseError
        If the name cannot be part of a file's name, see `smalltumor.files.names.safe_name`.
    """

    name: str
    modalities: dict[str, list[Path]] = field(default_factory=dict)
    stacked: Path | None = None
    labels: list[Path] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.name != safe_name(self.name):
            raise CaseError(f"{self.name!r} is not a name for a case and its results")

    @property
    def scheme_hint(self) -> str | None:
        """Name of the label scheme that goes with these names, where they tell."""
        if self.stacked is not None:
            return "msd"
        if not self.modalities:
            return None
        return "brats2023" if self.words & _BRATS_2023 else "brats2018"

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities without a file."""
        if self.stacked is not None:
            return ()
        return tuple(m for m in MODALITIES if m not in self.modalities)

    def problem(self) -> str | None:
        """Why this cannot be read as a case, or None."""
        if self.stacked is not None:
            return None
        for role, paths in [*self.modalities.items(), (LABELS, self.labels)]:
            if len(paths) > 1:
                names = " and ".join(p.name for p in sorted(paths))
                return f"{len(paths)} files for {_title(role)}: {names}; keep one"
        if not self.missing:
            return None
        existing = ", ".join(p.name for paths in self.modalities.values() for p in paths)
        titles = " and no ".join(_title(m) for m in self.missing)
        return f"no {titles} image" + (f" beside {existing}" if existing else "")


def find_case_files(path: Path | Sequence[Path]) -> CaseFiles:
    """The case in a folder, around one of its files, or made of several files.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder; one file of a case, whose brothers are beside it; a 4D file; or files dropped
        together.

    Returns
    -------
    CaseFiles
        Possibly incomplete: see `CaseFiles.problem`.

    Raises
    ------
    CaseError
        If nothing there looks like a case, or several cases do.
    """
    if not isinstance(path, Path):
        return _only(group_files(path), f"{len(path)} files")
    if _check(path).is_dir():
        return _only(group_files(_nifti_files(path)), str(path))
    match = role_of(path)
    if match is None:
        return _stacked(path)
    brothers = group_files(p for p in _nifti_files(path.parent) if _case_of(p) == match[0])
    return _only(brothers, str(path))


def find_cases(folder: Path) -> list[CaseFiles]:
    """Every case in a folder and the folders in it, by name, complete or not.

    Parameters
    ----------
    folder : Path
        One folder a case (BraTS), all files in one folder, or the Decathlon's ``imagesTr``
        (either the folder itself or its parent). Links to folders are followed, each folder
        is looked into once.

    Raises
    ------
    CaseError
        If the folder does not exist or no case is in it.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder} is not a folder")
    found: list[CaseFiles] = []
    met: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        if (place := os.path.realpath(root)) in met:  # by another link, or in a circle
            folders.clear()
            continue
        met.add(place)
        folders[:] = sorted(f for f in folders if not f.startswith((".", "labels")))
        files = [Path(root, n) for n in sorted(names) if _is_candidate(n)]
        found += group_files(files)
    if not found:
        raise CaseError(f"{folder} holds no case: no files named like {_EXAMPLES}")
    return sorted(found, key=lambda c: c.name)


def group_files(paths: Iterable[Path]) -> list[CaseFiles]:
    """Sort files into cases by the part of the name before the modality.

    A lone segmentation of another name joins a lone case (BraTS 2020 has one). Files whose
    names do not end in a modality are left out, unless there are no others: then each is
    taken for a 4D file. Files that are named by their modality alone are the case of their folder.
    """
    cases: dict[str, CaseFiles] = {}
    others: list[Path] = []
    for path in paths:
        match = role_of(path)
        if match is None:
            others.append(path)
            continue
        name, role, word = match
        case = cases.setdefault(name.lower(), CaseFiles(case_name(path)))
        case.words.add(word)
        target = case.labels if role == LABELS else case.modalities.setdefault(role, [])
        target.append(path)
    if not cases:
        return [_stacked(path) for path in others]
    return _adopt_labels(list(cases.values()))


def label_scheme_hint(path: Path) -> str | None:
    """Name of the label scheme that the names around a label file suggest, if they do."""
    if role_of(path) is not None:
        around = [case for case in group_files(_nifti_files(path.parent)) if path in case.labels]
        return around[0].scheme_hint if around else None
    images = path.parent.name.replace("labels", "images")
    beside = path.parent.parent / images / path.name
    return "msd" if beside != path and beside.is_file() else None


def role_of(path: Path) -> tuple[str, str, str] | None:
    """Case name, role (a modality or `LABELS`) and the word for it, from a file's name."""
    match = _ENDING.match(stem(path))
    if match is None:
        return None
    case, word = match["case"] or "", match["word"].lower()
    if _ROLE[word] == LABELS and _NOT_TUMOUR.search(case):
        return None
    return case, _ROLE[word], word


def case_name(path: Path) -> str:
    """Name of the case a file belongs to: the part before the modality, or the folder's name."""
    match = role_of(path)
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


def _only(cases: list[CaseFiles], where: str) -> CaseFiles:
    if not cases:
        raise CaseError(f"{where} holds no case: no files named like {_EXAMPLES}")
    if len(cases) > 1:
        names = ", ".join(c.name for c in cases[:4]) + (", ..." if len(cases) > 4 else "")
        raise CaseError(f"{where} holds {len(cases)} cases ({names}); name a file of one of them")
    return cases[0]


def _check(path: Path) -> Path:
    try:
        if not path.exists():
            raise CaseError(f"{path} does not exist")
    except OSError as error:  # a name that is too long, a circle of links, a closed folder
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return path


def _nifti_files(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if _is_candidate(p.name))
    except OSError as error:
        raise CaseError(f"{folder} cannot be read: {error.strerror or error}") from error


def _is_candidate(name: str) -> bool:
    return is_nifti_name(Path(name)) and not name.startswith(".")


def _case_of(path: Path) -> str | None:
    match = role_of(path)
    return None if match is None else match[0]


def _title(role: str) -> str:
    return MODALITY_TITLES.get(role, role)


_EXAMPLES = "CASE_flair.nii.gz, CASE_t1.nii.gz, CASE_t1ce.nii.gz, CASE_t2.nii.gz"
