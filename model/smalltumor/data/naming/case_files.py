"""Finding the files of a case by the naming of BraTS and similar datasets."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from smalltumor.data.naming.candidates import NamedFile, choose
from smalltumor.data.naming.dataset_names import scheme_of_names
from smalltumor.data.naming.file_names import LABELS, case_name, folder_name, parse_name
from smalltumor.data.naming.numbered_files import (
    NNUNET_CHANNELS,
    channel_order,
    joined_by_number,
    numbered,
    numbered_with,
)
from smalltumor.data.nifti import is_image_name, stem
from smalltumor.data.volume_files import not_a_volume
from smalltumor.errors import CaseError
from smalltumor.files.names import safe_name

MODALITIES = ("flair", "t1ce", "t1", "t2")
"""In the channel order of the published backbone."""

OPTIONAL_MODALITIES = ("t1", "t2", "flair")
"""Modalities that a case may lack; enhancing tumour cannot be seen without T1CE."""

MODALITY_TITLES: Mapping[str, str] = MappingProxyType(
    {"flair": "FLAIR", "t1ce": "T1CE", "t1": "T1", "t2": "T2"}
)

MSD_CHANNELS = ("flair", "t1", "t1ce", "t2")
"""Order of the fourth axis in the Medical Segmentation Decathlon's Task01_BrainTumour."""

_NO_CASES = (".", "labels", "derivatives")
"""Beginnings of folders that hold no cases: labels of the Decathlon, results beside BIDS data."""

_DECATHLON = re.compile(r"BRATS_\d{3}\Z", re.IGNORECASE)
"""Names of the Decathlon, whose channel order is known."""


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
    channels : tuple of str
        Modalities in the order of the fourth axis of `stacked`.
    notes : list of str
        What was assumed or chosen, for the user.

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
    channels: tuple[str, ...] = MSD_CHANNELS
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.name != safe_name(self.name):
            raise CaseError(f"{self.name!r} is not a name for a case and its results")

    @property
    def folder(self) -> Path:
        """Folder of the first of its files."""
        files = [path for paths in self.modalities.values() for path in paths]
        return [*([self.stacked] if self.stacked else files), *self.labels][0].parent

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


def find_case_files(
    path: Path | Sequence[Path], channels: Sequence[str] | None = None
) -> CaseFiles:
    """Find the one case in a folder, next to one of its files, or in a list of files.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder; one file of a case, whose siblings are found; a 4D file; or the files of a case.
    channels : sequence of str, optional
        Modalities in the order of a 4D file or of nnU-Net's numbers, see `channel_order`.

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
        return _only(group_files(path, channels), f"{len(path)} files")
    if _check(path).is_dir():
        images = _image_files(path)
        return _only(group_files(images, channels), str(path)) if images else _refuse(path)
    own = parse_name(path) if is_image_name(path) else None
    if own is not None:
        same = (p for p in _image_files(path.parent) if _case_of(p) == own.case)
        return _only(group_files(same), str(path))
    return _only(group_files(numbered_with(path, _image_files), channels), str(path))


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
        folders[:] = sorted(f for f in folders if not f.startswith(_NO_CASES))
        files = [Path(root, n) for n in sorted(names) if _is_candidate(n)]
        found += group_files(files)
    if not found:
        raise CaseError(f"{folder} holds no case: no files named like {_EXAMPLES}")
    _tell_apart(found, folder)
    return sorted(found, key=lambda c: c.name)


def _tell_apart(cases: Sequence[CaseFiles], folder: Path) -> None:
    """Put the folders before names that several cases have, such as the visits of patients."""
    count = Counter(case.name.lower() for case in cases)
    for case in cases:
        if count[case.name.lower()] > 1:
            parts = [*case.folder.relative_to(folder).parts]
            if parts and safe_name(parts[-1]) == case.name:
                parts.pop()
            case.name = safe_name("_".join([*parts, case.name]))


def group_files(paths: Iterable[Path], channels: Sequence[str] | None = None) -> list[CaseFiles]:
    """Group files to cases by the part of the name before the modality.

    Files named by their modality alone form the case of their folder. A single segmentation with
    another name belongs to a single case (BraTS 2020 has one). Files without a modality in their
    name are ignored if there are others, unless they are numbered as by nnU-Net (``CASE_0000`` to
    ``CASE_0003``); otherwise each is a 4D file.

    Parameters
    ----------
    paths : iterable of Path
    channels : sequence of str, optional
        Modalities in the order of a 4D file or of nnU-Net's numbers, see `channel_order`.
    """
    named: dict[str, list[NamedFile]] = {}
    others: list[Path] = []
    for path in paths:
        parsed = parse_name(path)
        if parsed is None:
            others.append(path)
        else:
            named.setdefault(parsed.case.lower(), []).append((path, parsed))
    cases = [_case(files) for files in joined_by_number(named)]
    cases += [_numbered_case(name, files, channels) for name, files in numbered(others)]
    if not cases:
        return [_stacked(path, channels) for path in others]
    return _adopt_labels(cases)


def _case(files: Sequence[NamedFile]) -> CaseFiles:
    case = CaseFiles(case_name(files[0][0]))
    if len({parsed.case.lower() for _, parsed in files}) > 1:  # numbered by sequence
        case.name = folder_name(files[0][0].parent)
    for role in (*MODALITIES, LABELS):
        candidates = [file for file in files if file[1].role == role]
        chosen, note = choose(candidates, files)
        case.keywords |= {parsed.keyword for _, parsed in chosen if role != LABELS}
        case.notes += [f"{note[0]} was taken as {_title(role)}, {note[1]}"] if note else []
        if role == LABELS:
            case.labels += [path for path, _ in chosen]
        elif chosen:
            case.modalities[role] = [path for path, _ in chosen]
    return case


def _numbered_case(
    name: str, files: Mapping[int, Path], channels: Sequence[str] | None
) -> CaseFiles:
    """The case of files that nnU-Net has numbered."""
    folder = next(iter(files.values())).parent
    order, note = channel_order(folder, channels, NNUNET_CHANNELS)
    case = CaseFiles(safe_name(name), labels=_labels_beside(folder, name))
    case.modalities = {order[n]: [path] for n, path in files.items()}
    case.notes += (
        [f"the files {name}_0000 to _{max(files):04d} were taken as {note}"] if note else []
    )
    return case


def label_scheme_hint(path: Path) -> str | None:
    """Name of the label scheme that goes with the names around a label file, if any."""
    if parse_name(path) is not None:
        around = [case for case in group_files(_image_files(path.parent)) if path in case.labels]
        if around:
            return around[0].scheme_hint
    return scheme_of_names(case_name(path))


def _adopt_labels(cases: list[CaseFiles]) -> list[CaseFiles]:
    with_images = [c for c in cases if c.modalities]
    orphans = [c for c in cases if not c.modalities]
    if len(with_images) == 1 and not with_images[0].labels:
        for orphan in orphans:
            with_images[0].labels += orphan.labels
    return with_images or orphans


def _stacked(path: Path, channels: Sequence[str] | None = None) -> CaseFiles:
    order, note = channel_order(path.parent, channels, MSD_CHANNELS)
    known = _DECATHLON.match(stem(path)) is not None
    notes = [f"{path.name}: the channels were taken as {note}"] if note and not known else []
    labels = _labels_beside(path.parent, stem(path))
    return CaseFiles(case_name(path), stacked=path, labels=labels, channels=order, notes=notes)


def _labels_beside(images: Path, name: str) -> list[Path]:
    """The label file of a case in the folder ``labelsTr`` beside ``imagesTr``."""
    labels = images.parent / images.name.replace("images", "labels")
    if labels == images:
        return []
    paths = (labels / f"{name}{suffix}" for suffix in (".nii.gz", ".nii"))
    return [path for path in paths if path.is_file()][:1]


def _refuse(folder: Path) -> NoReturn:
    """Say that a folder has no images, and what other files it has."""
    others = (p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.is_file())
    for path in others:
        if (error := not_a_volume(path)) is not None:
            raise error.prefixed("no case")
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
    parsed = parse_name(path)
    return None if parsed is None else parsed.case


def _title(role: str) -> str:
    return MODALITY_TITLES.get(role, role)


_EXAMPLES = "CASE_flair.nii.gz, CASE_t1.nii.gz, CASE_t1ce.nii.gz, CASE_t2.nii.gz"
