"""A training folder: add corrected cases, and list what it holds.

Each case gets a folder named after it, as BraTS names them: ``CASE/CASE_flair.nii.gz``,
``_t1ce``, ``_t1``, ``_t2`` and ``_seg`` (necrosis 1, edema 2, enhancing tumour 4), and
``collected.json``, which records when it was added.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.made_by import MadeBy
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import SUFFIXES, read_nifti, stem, write_volume
from smalltumor.errors import Cancelled, CaseError, OutputError, SmalltumorError
from smalltumor.files.atomic import write_text
from smalltumor.files.existence import exists
from smalltumor.files.file_stamp import Stamp, written_stamp_of
from smalltumor.files.transactions.temporary_names import temporary_name
from smalltumor.labels.masks import Classes
from smalltumor.progress import CancelCallback
from smalltumor.training.data.collected_case import (
    NOTE,
    case_folder_name,
    same_voxels,
    why_not_replaced,
)
from smalltumor.training.data.dataset_check import CheckedCase, check_case

SCHEME = "brats2018"
"""The label scheme that goes with the names."""

_State = tuple[str, tuple[tuple[Path, Stamp | None], ...]]
"""Name of a case, and its files with their stamps."""

NO_CASE_YET = "No case yet: add the first one"
"""The problem of a folder that is still empty."""

MAX_FOLDERS = 20_000
"""A folder with more subfolders, such as the root of a disk, is not searched to the end."""


def add_case(
    folder: Path,
    case: Case,
    classes: Classes,
    *,
    made_by: MadeBy | None = None,
    name: str = "",
    link: bool = False,
    replace: bool = False,
) -> Path:
    """Add a case and its corrected masks to a training folder.

    The images are copied or linked. One that has no file of its own (a channel of a 4D file, a
    layer of another reader) is written. The case appears whole or not at all.

    Parameters
    ----------
    folder : Path
        The training folder; created if it does not exist.
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    made_by : MadeBy, optional
        What made the masks, which the file records.
    name : str
        Name of the case in the training folder, such as `case_folder` gives; by default its own.
    link : bool
        Create symbolic links to the images instead of copies; the images must then not be moved.
    replace : bool
        Whether the masks of this case may be replaced if it was added before.

    Returns
    -------
    Path
        The case's folder.

    Raises
    ------
    OutputError
        If it cannot be written, or if its folder exists with other images, with masks that this
        function did not add, or with earlier masks while `replace` is False.
    CaseError
        If the masks are not on the case's grid, or the written files do not read back the same.
    """
    if classes.shape != case.grid.shape:
        raise CaseError(f"{case.name}: masks of {classes.shape} voxels on {case.grid.shape}")
    target = folder / (name or case_folder_name(case))
    segmentation = Segmentation(
        target.name,
        classes,
        case.grid,
        case.header,
        made_of=digests_of_images(case),
        made_by=made_by,
    )
    if exists(target, unreachable=OutputError):
        if why_not := why_not_replaced(target, case):
            raise OutputError(why_not)
        if not replace:
            raise OutputError(f"{target} has been added before; its masks can be replaced")
        _write_masks(target, segmentation, overwrite=True)
        return target
    _make(folder)
    with _whole_folder(target) as temporary:
        for modality in case.volumes:
            _write_image(temporary, target.name, case, modality, link)
        _write_masks(temporary, segmentation, overwrite=False)
        _check_written(temporary, case, classes)
    return target


@dataclass(frozen=True)
class DatasetListing:
    """The cases of a training folder.

    Parameters
    ----------
    cases : list of CheckedCase
        As `smalltumor train --check` lists them.
    problem : str
        Why there are none, or not all; empty otherwise.
    """

    cases: list[CheckedCase]
    problem: str = ""


class DatasetLister:
    """Lists a training folder repeatedly; only cases that have changed are read again."""

    def __init__(self) -> None:
        self._known: dict[_State, CheckedCase] = {}

    def list_cases(
        self,
        folder: Path,
        *,
        progress: Callable[[str], None] = lambda text: None,
        cancelled: CancelCallback = lambda: False,
    ) -> DatasetListing:
        """Check every case of a folder with at most `MAX_FOLDERS` subfolders.

        Parameters
        ----------
        folder : Path
        progress : callable
            Called with what is being read.
        cancelled : callable
            Whether to stop; the cases checked until then are listed.
        """

        try:
            if not exists(folder, unreachable=OutputError):
                created = "it is created when the first case is added"
                return DatasetListing([], f"{folder} does not exist; {created}")
        except OutputError as error:
            return DatasetListing([], str(error))
        if _is_empty(folder):
            return DatasetListing([], NO_CASE_YET)
        try:
            found = find_cases(folder, on_folder=partial(_check_search, folder, cancelled))
        except SmalltumorError as error:
            return DatasetListing([], str(error))
        cases: list[CheckedCase] = []
        known: dict[_State, CheckedCase] = {}
        for number, files in enumerate(found, 1):
            if cancelled():
                read = f"{len(cases)} of {len(found)} cases were read"
                return DatasetListing(cases, f"stopped: {read}")
            progress(f"{number} of {len(found)}: {files.name}")
            state = _state(files)
            checked = known[state] = self._known.get(state) or check_case(files)
            cases.append(checked)
        self._known = known
        return DatasetListing(cases)


def _check_search(folder: Path, cancelled: CancelCallback, number: int) -> None:
    """Refuse to search on in a folder if that was cancelled, or it has too many subfolders."""
    if cancelled():
        raise Cancelled("stopped before a case was read")
    if number > MAX_FOLDERS:
        raise CaseError(
            f"{folder} has more than {MAX_FOLDERS:,} subfolders; choose the folder that "
            "holds the training cases"
        )


def _is_empty(folder: Path) -> bool:
    """Whether a folder can be read and has nothing in it, apart from what a system hides there."""
    try:
        return all(path.name.startswith(".") for path in folder.iterdir())
    except OSError:
        return False


def _state(files: CaseFiles) -> _State:
    """A value that changes when one of the files does."""
    paths = [p for some in files.modalities.values() for p in some] + list(files.labels)
    if files.stacked is not None:
        paths.append(files.stacked)
    return files.name, tuple((path, written_stamp_of(path)) for path in sorted(paths))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its name once the block has ended well."""
    temporary = target.parent / temporary_name()
    try:
        temporary.mkdir()
        yield temporary
        if exists(target):
            raise OutputError(f"{target} appeared meanwhile and was left as it is")
        temporary.rename(target)  # refused by the system if a folder with files has the name
    except OSError as error:
        raise OutputError(f"{target} could not be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_image(folder: Path, name: str, case: Case, modality: str, link: bool) -> None:
    source = case.paths.get(modality)
    if source is None or not _holds(source, case, modality):
        path = folder / f"{name}_{modality}{SUFFIXES[-1]}"
        write_volume(path, _storable(case.volumes[modality]), case.grid, case.header)
        return
    path = folder / f"{name}_{modality}{source.name[len(stem(source)) :]}"
    if link:
        path.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, path)


def _storable(volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Convert to a data type that NIfTI has and every reader supports."""
    if volume.dtype.kind in "iu" and volume.dtype.itemsize == 8:
        return volume.astype(np.int32)
    if volume.dtype.kind == "f" and volume.dtype.itemsize != 8:
        return volume.astype(np.float32)
    return np.asarray(volume)


def _holds(path: Path, case: Case, modality: str) -> bool:
    """Whether a file holds exactly the volume of the case: not resampled, split or changed."""
    try:
        volume = read_nifti(path)
    except SmalltumorError:
        return False
    return volume.grid.matches(case.grid) and same_voxels(volume.data, case.volumes[modality])


def _write_masks(folder: Path, segmentation: Segmentation, *, overwrite: bool) -> None:
    path = folder / f"{segmentation.name}_seg{SUFFIXES[-1]}"
    write_segmentation(segmentation, path, scheme=SCHEME, overwrite=overwrite)
    note = {"added": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "by": "napari-smalltumor"}
    write_text(folder / NOTE, json.dumps(note) + "\n", overwrite=True)


def _check_written(folder: Path, case: Case, classes: Classes) -> None:
    written = read_case(folder)
    read_back, _ = read_labels(written, SCHEME)
    images = all(same_voxels(written.volumes[m], case.volumes[m]) for m in written.volumes)
    if not (images and written.grid.matches(case.grid) and np.array_equal(read_back, classes)):
        raise CaseError(f"{case.name} does not read back as it was written; it was not added")
