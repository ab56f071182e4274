"""Folders that hold a scan and no case: offer to prepare it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.scanner.selection import assign
from smalltumor.scanner.studies import FolderContent, find_studies

from napari_smalltumor import notify, settings
from napari_smalltumor.loading.job import LoadJob, load
from napari_smalltumor.scanner.plan import Plan
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData
    from napari_smalltumor.scanner.preparation import Preparation

PREPARED_DOCK = "Prepared scan"


def offer_scan(
    viewer: ViewerModel,
    folder: Path,
    open_folder: Callable[..., None],
    otherwise: Callable[[], None],
) -> None:
    """Show the dialog that prepares the scan in a folder, if there is one.

    Parameters
    ----------
    viewer : ViewerModel
    folder : Path
    open_folder : callable
        Opens the folder of a case, and calls its second argument with the layers.
    otherwise : callable
        Called if the folder holds no series that may be a scan of the brain.
    """
    found: list[FolderContent] = []

    def search() -> list[LayerData]:
        found.append(find_studies(folder))
        return []

    def show(layers: list[Layer]) -> None:
        if is_scan(found[0]):
            show_preparation(viewer, Plan(folder, found[0]), open_folder)
        else:
            otherwise()

    def failed(error: Exception) -> None:
        if isinstance(error, CaseError):  # there is no image at all
            otherwise()
        else:
            notify.report(error)

    key = ("scan in", str(folder))
    load(viewer, LoadJob(f"the series in {folder.name}", key, search, show, failed))


def check_no_scan(folder: Path, files: CaseFiles) -> None:
    """Check that the images of a folder without a T1CE, by their names, are no scan with one.

    Raises
    ------
    CaseError
    """
    if REFERENCE in files.modalities or files.stacked is not None:
        return
    try:
        content = find_studies(folder)
    except SmalltumorError:
        return
    if is_scan(content):
        raise CaseError(f"{folder} holds a scan, and no case")


def is_scan(content: FolderContent) -> bool:
    """Whether a folder holds DICOM series, or NIfTI files with a T1CE among them."""
    series = [one for study in content.studies for one in study.series]
    return any(one.uid for one in series) or any(
        REFERENCE in assign(study.series).chosen for study in content.studies
    )


def show_preparation(
    viewer: ViewerModel, plan: Plan, open_folder: Callable[..., None]
) -> Preparation:
    """Show the dialog that prepares a scan and then opens the case."""
    from napari_smalltumor import questions
    from napari_smalltumor.scanner.preparation import Preparation

    settings.remember_folder(plan.folder)

    def open_prepared(folder: Path) -> None:
        open_folder(folder, partial(_show_dock, viewer))

    preparation = Preparation(questions.window_of(None), plan, open_prepared)
    preparation.dialog.show()
    return preparation


def _show_dock(viewer: ViewerModel, layers: list[Layer]) -> None:
    """Show how well the scan was prepared."""
    window = getattr(unproxied(viewer), "window", None)
    if window is not None:
        window.add_plugin_dock_widget("napari-smalltumor", PREPARED_DOCK)
