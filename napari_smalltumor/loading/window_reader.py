"""napari's reader in a window: errors are one sentence, and a folder of cases becomes a list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.listings import visible_entries
from smalltumor.scanner.archive import is_archive
from smalltumor.scanner.dicom.files import holds_dicom

from napari_smalltumor.calling_viewer import called_by, calling_viewer
from napari_smalltumor.loading.dicom_files import is_dicom_slice
from napari_smalltumor.loading.files.already_open import show_open_case, show_open_file
from napari_smalltumor.loading.folders.folder_of_cases import offer_cases
from napari_smalltumor.loading.folders.scans import check_no_scan
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import load, loads_in_background
from napari_smalltumor.loading.open_case import case_name, on_error, open_and_remember
from napari_smalltumor.loading.reader import Reader
from napari_smalltumor.loading.reader import get_reader as get_case_reader
from napari_smalltumor.main_window.segment_dock_opener import segment_dock_opener
from napari_smalltumor.viewer_setup import set_up

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData

_MAX_FILES = 200
"""Files that are opened, in the thread of the window, to tell whether a folder holds DICOM."""

_NO_LAYERS: list[Any] = [(None,)]
"""What tells napari that a path was read and has no layers."""


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the function that reads a path, or None if the plugin does not read it.

    A folder that is no case is read if no other plugin can: if it holds NIfTI files or only
    folders; or if it holds DICOM files. A zip archive is unpacked. For DICOM files, the scan
    around them is read.

    Parameters
    ----------
    path : str or sequence of str
        As for `napari_smalltumor.loading.reader.get_reader`.
    """
    if isinstance(path, str) and is_archive(Path(path)):
        return _read_scan
    if _are_dicom_files([path] if isinstance(path, str) else path):
        return _read_scan
    read = get_case_reader(path)
    if read is None and isinstance(path, str) and _may_hold_cases(Path(path)):
        return _read_folder_of_cases
    return None if read is None else partial(_read, read)


def _read(read: Reader, path: str | Sequence[str]) -> list[Any]:
    """Read a path; a window whose event loop runs reads it in a worker.

    napari is then told that the path has no layers; they are added when they have been read. An
    error is reported in a window, and raised elsewhere.
    """
    viewer = calling_viewer()
    if viewer is None:
        return read(path)
    if loads_in_background(viewer):
        load(viewer, _job(viewer, read, path))
        return _NO_LAYERS
    set_up(viewer)
    segment_dock_opener(viewer).open_with_next_case()
    try:
        found = read(path)
        if found:
            return found
        _show_open(viewer, path)
        return _NO_LAYERS
    except SmalltumorError as error:
        on_error(viewer, _paths(path), error)
        return _NO_LAYERS


def _job(viewer: ViewerModel, read: Reader, path: str | Sequence[str]) -> LoadJob:
    files = _paths(path)

    def opened(layers: list[Layer]) -> None:
        if not layers:
            _show_open(viewer, path)

    def read_case() -> list[LayerData]:
        if isinstance(files, Path) and files.is_dir():
            check_no_scan(files, find_case_files(files))
        with called_by(viewer):
            return read(path)

    failed = partial(on_error, viewer, files)
    return LoadJob(case_name(files), str(path), read_case, opened, failed)


def _show_open(viewer: ViewerModel, path: str | Sequence[str]) -> None:
    files = _paths(path)
    if isinstance(files, Path) and show_open_file(viewer, files):
        return
    with suppress(SmalltumorError):  # a mask without a voxel
        show_open_case(viewer, find_case_files(files))


def _paths(path: str | Sequence[str]) -> Path | list[Path]:
    return Path(path) if isinstance(path, str) else [Path(p) for p in path]


def _read_folder_of_cases(path: str | Sequence[str]) -> list[Any]:
    viewer = calling_viewer()
    if viewer is not None:
        offer_cases(viewer, Path(str(path)), open_and_remember)
    return _NO_LAYERS


def _read_scan(path: str | Sequence[str]) -> list[Any]:
    viewer = calling_viewer()
    if viewer is not None:
        for file in [path] if isinstance(path, str) else path:
            open_and_remember(viewer, Path(file))
    return _NO_LAYERS


def _are_dicom_files(paths: Sequence[str]) -> bool:
    return bool(paths) and all(is_dicom_slice(Path(path)) for path in paths)


def _may_hold_cases(path: Path) -> bool:
    return path.is_dir() and (_is_folder_without_other_files(path) or holds_dicom(path, _MAX_FILES))


def _is_folder_without_other_files(path: Path) -> bool:
    try:
        files = [p for p in visible_entries(path) if p.is_file()]
    except (OSError, CaseError):
        return False
    return all(is_image_name(p) for p in files)
