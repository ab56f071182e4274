"""What is in a folder that is no case: a list of cases, a scan to prepare, or a single volume."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.volumes.volume_files import volume_shape
from smalltumor.errors import CaseError, GridMismatchError, SmalltumorError
from smalltumor.scanner.sequence_folders import is_folder_of_sequences

from napari_smalltumor import notify, settings
from napari_smalltumor.loading.folders.scans import MAX_SEQUENCES, offer_scan
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import load
from napari_smalltumor.viewer import qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData
    from napari_smalltumor.loading.folders.case_opener import OpenFound

MAX_FOLDERS = 5_000
"""A folder with more subfolders is not searched for cases."""


class TooManyFoldersError(CaseError):
    """A folder is not searched for cases, because it has too many subfolders."""


def offer_cases(
    viewer: ViewerModel, folder: Path, open_found: OpenFound, error: Exception | None = None
) -> None:
    """Show the cases in a folder and its subfolders as a list; a single case is opened.

    If there is no case, but a scan that a case can be made of, that is offered; otherwise it is
    reported that there is none.

    Parameters
    ----------
    viewer : ViewerModel
    folder : Path
    open_found : callable
        Opens a path or the files of a case, as `open_case.open_and_remember` does.
    error : Exception, optional
        Why the folder itself is no case; reported if a single case is in it that cannot be opened.
    """
    found: list[CaseFiles] = []
    alone: list[Path] = []
    problems = [error] if error is not None else []

    def search() -> list[LayerData]:
        try:
            found.extend(find_cases(folder, on_folder=partial(_check_number, folder)))
        except TooManyFoldersError:
            raise
        except CaseError as none:
            problems.append(none)
        alone.extend(_volumes_without_case(found))
        return []

    def show(layers: list[Layer]) -> None:
        otherwise = partial(_show_cases, viewer, folder, open_found, found, problems)
        if len(alone) == 1:
            open_found(viewer, alone[0])
        elif alone or _may_be_scan(found, error) or is_folder_of_sequences(folder):
            offer_scan(viewer, folder, partial(open_found, viewer), otherwise)
        else:
            otherwise()

    key = ("cases in", str(folder))
    load(viewer, LoadJob(f"the folders in {folder.name}", key, search, show, notify.report_error))


def _volumes_without_case(found: list[CaseFiles]) -> list[Path]:
    """The only mask of a folder without images, or its volumes if no name tells a sequence."""
    if len(found) == 1 and not found[0].modalities and len(found[0].labels) == 1:
        return found[0].labels
    files = [case.stacked for case in found if case.stacked is not None]
    if len(files) < len(found) or len(files) > MAX_SEQUENCES:
        return []
    try:
        return files if all(len(volume_shape(file)) == 3 for file in files) else []
    except SmalltumorError:
        return []


def _may_be_scan(found: list[CaseFiles], error: Exception | None) -> bool:
    """Whether a folder may hold a scan: no case, or images that are not on one grid."""
    usable = [files for files in found if files.problem(allow_missing=True) is None]
    if not usable or (len(found) == 1 and isinstance(error, GridMismatchError)):
        return True
    # The names that a scanner or a converter gives have nothing in common but the patient.
    modalities = [modality for files in found for modality in files.modalities]
    return len(found) == len(modalities) == len(set(modalities)) > 1


def _show_cases(
    viewer: ViewerModel,
    folder: Path,
    open_found: OpenFound,
    found: list[CaseFiles],
    problems: list[Exception],
) -> None:
    if len(found) > 1:
        _show_list(viewer, folder, open_found, found)
    elif problems and (not found or _cannot_be_read(found[0], problems[0])):
        notify.report_error(problems[0])
    else:
        from napari_smalltumor.loading.folders.unprepared_scans import report_unprepared_scans

        open_found(viewer, found[0])
        report_unprepared_scans(viewer, folder, found[0].folder)


def _cannot_be_read(files: CaseFiles, error: Exception) -> bool:
    return files.problem() is not None or isinstance(error, GridMismatchError)


def _show_list(
    viewer: ViewerModel, folder: Path, open_found: OpenFound, cases: list[CaseFiles]
) -> None:
    from napari_smalltumor.loading.folders.case_list import CaseList
    from napari_smalltumor.loading.folders.case_opener import CaseOpener

    settings.remember_folder(folder)
    CaseList(qt_main_window(viewer), folder, cases, CaseOpener(viewer, open_found)).show()


def _check_number(folder: Path, number: int) -> None:
    if number > MAX_FOLDERS:
        raise TooManyFoldersError(
            f"{folder} is no case and has more than {MAX_FOLDERS:,} subfolders; choose the folder "
            "of a case"
        )
