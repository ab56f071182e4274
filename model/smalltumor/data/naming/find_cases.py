"""Finding the files of a case, or of all cases in a folder, by the naming of public datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.dataset_names import scheme_of_names
from smalltumor.data.naming.file_names import case_name, parse_name
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.naming.numbered_files import numbered_with
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.data.volumes.volume_files import not_a_volume_error
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.files.existence import is_folder
from smalltumor.files.listings import entries, walk_once
from smalltumor.files.names import name_key, safe_name
from smalltumor.files.transactions.recovery import recover_around

_NO_CASES = (".", "labels", "derivatives")
"""Beginnings of folders that hold no cases: labels of the Decathlon, results beside BIDS data."""

_EXAMPLES = "CASE_flair.nii.gz, CASE_t1.nii.gz, CASE_t1ce.nii.gz, CASE_t2.nii.gz"


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
    if not is_folder(folder, unreachable=CaseError):
        raise CaseError(f"{folder} is not a folder")
    cases: list[CaseFiles] = []
    for count, (root, folders, names) in enumerate(walk_once(folder), start=1):
        if on_folder is not None:
            on_folder(count)
        folders[:] = sorted(f for f in folders if not f.startswith(_NO_CASES))
        files = [root / n for n in names if _is_candidate(n)]
        cases += group_files(files)
    if not cases:
        raise _no_case_error(folder)
    for case, name in zip(cases, distinct_names(cases, folder), strict=True):
        case.name = name
    return sorted(cases, key=lambda c: c.name)


class Located(Protocol):
    """What is named and lies in a folder."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> Path: ...


def distinct_names(found: Sequence[Located], root: Path) -> list[str]:
    """Names with the folders below the root before those that several have, such as visits."""
    count = Counter(name_key(each.name) for each in found)
    names = []
    for each in found:
        parts = _folders_before(each.folder.relative_to(root).parts, each.name)
        is_shared = count[name_key(each.name)] > 1
        names.append(safe_name("_".join([*parts, each.name])) if is_shared else each.name)
    return names


def _folders_before(parts: Sequence[str], name: str) -> Sequence[str]:
    """The folders above those that a name consists of."""
    named = (n for n in range(len(parts)) if safe_name("_".join(parts[n:])) == name)
    return parts[: next(named, len(parts))]


def label_scheme_hint(path: Path) -> str | None:
    """Name of the label scheme that goes with the names around a label file, if any."""
    if parse_name(path) is not None:
        around = [case for case in group_files(_image_files(path.parent)) if path in case.labels]
        if around:
            return around[0].scheme_hint
    return scheme_of_names(case_name(path))


def _refuse(folder: Path) -> NoReturn:
    """Say that a folder has no images, and what other files it has."""
    others = (p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.is_file())
    for path in others:
        if (error := not_a_volume_error(path)) is not None:
            raise error.prefixed("no case")
    raise _no_case_error(folder)


def _no_case_error(where: Path | str) -> CaseError:
    text = f"{where} holds no case: no files named like {_EXAMPLES}"
    return CaseError(text, Remedy(Action.NAME_FILES))


def _only(cases: list[CaseFiles], where: str) -> CaseFiles:
    if not cases:
        raise _no_case_error(where)
    if len(cases) > 1:
        names = ", ".join(c.name for c in cases[:4]) + (", ..." if len(cases) > 4 else "")
        text = f"{len(cases)} cases, by their names, in {where}: {names}"
        raise CaseError(text, Remedy(Action.CHOOSE_CASE))
    return cases[0]


def _check(path: Path) -> Path:
    recover_around([path])
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CaseError(f"{path} does not exist") from error
    except OSError as error:  # such as a name that is too long, or no permission
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error
    return path


def _image_files(folder: Path) -> list[Path]:
    return [path for path in entries(folder) if _is_candidate(path.name)]


def _is_candidate(name: str) -> bool:
    return is_image_name(Path(name)) and not name.startswith(".")


def _case_of(path: Path) -> str | None:
    parsed = parse_name(path)
    return None if parsed is None else parsed.case
