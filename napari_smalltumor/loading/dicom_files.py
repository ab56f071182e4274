"""Opens the studies of DICOM files, each once however many of its files are opened together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.errors import CaseError
from smalltumor.extras import MissingPackageError
from smalltumor.scanner.dicom.headers import is_segmentation
from smalltumor.scanner.dicom.study_folder import StudyOfFile, is_dicom_file, study_of_file

from napari_smalltumor import notify
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import load, loads_in_background
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData

OfferStudy = Callable[[StudyOfFile], None]

_WAITING: WeakKeyDictionary[ViewerModel, list[Path]] = WeakKeyDictionary()
"""Files whose studies are not looked for yet, by viewer."""

_TOGETHER_MS = 100
"""napari opens files that are dropped together one by one, and handles events in between."""


def is_dicom_slice(path: Path) -> bool:
    """Whether a path is a DICOM file or a DICOMDIR; no volume is, whatever its first bytes."""
    return not is_image_name(path) and is_dicom_file(path)


def open_study_of(viewer: ViewerModel, file: Path, offer: OfferStudy) -> None:
    """Find the study of a DICOM file in a worker, with those of files that are opened with it.

    Parameters
    ----------
    viewer : ViewerModel
    file : Path
        One for which `is_dicom_slice` holds.
    offer : callable
        Called once with each study.
    """
    viewer = unproxied(viewer)
    if not loads_in_background(viewer):
        _look_up(viewer, [file], offer)
        return
    from qtpy.QtCore import QTimer

    waiting = _WAITING.setdefault(viewer, [])
    waiting.append(file)
    QTimer.singleShot(_TOGETHER_MS, partial(_look_up_if_last, viewer, len(waiting), offer))


def _look_up_if_last(viewer: ViewerModel, number: int, offer: OfferStudy) -> None:
    """Look for the studies of all files that wait, unless another one came meanwhile."""
    if len(_WAITING.get(viewer, ())) == number:
        _look_up(viewer, _WAITING.pop(viewer), offer)


def _look_up(viewer: ViewerModel, files: list[Path], offer: OfferStudy) -> None:
    found: dict[StudyOfFile, None] = {}

    def search() -> list[LayerData]:
        images = [file for file in files if not _is_segmentation(file)]
        if not images:
            raise CaseError(
                f"{files[0].name} is a DICOM SEG, which is written here but not opened; open the "
                "folder of its scan, or of the prepared case with its mask"
            )
        found.update(dict.fromkeys(map(_study_of, images)))
        return []

    def show(layers: list[Layer]) -> None:
        for study in found:
            offer(study)

    key = ("studies of", *map(str, files))
    name = f"the study of {files[0].name}"
    load(viewer, LoadJob(name, key, search, show, notify.report_error))


def _is_segmentation(file: Path) -> bool:
    try:
        return is_segmentation(file)
    except MissingPackageError:  # told when the folder is searched
        return False


def _study_of(file: Path) -> StudyOfFile:
    try:
        return study_of_file(file)
    except MissingPackageError:  # told when the folder is searched
        return StudyOfFile(file.absolute().parent)
