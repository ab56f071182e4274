"""Scans in the folder of a patient that are not prepared yet, beside a case that is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import SmalltumorError
from smalltumor.scanner.dicom.files import read_images
from smalltumor.scanner.dicom.series import group_series
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Series
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.loading.jobs.load import loads_in_background
from napari_smalltumor.scanner.prepared_before import recorded_uid
from napari_smalltumor.viewer import qt_main_window
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel


def report_unprepared_scans(viewer: ViewerModel, folder: Path, case: Path) -> None:
    """Say which DICOM studies in a folder are not the one of which its only case was made.

    Somebody who drops the folder of a patient may mean the new visit, and sees the earlier one.

    Parameters
    ----------
    viewer : ViewerModel
    folder : Path
    case : Path
        Folder of the case in it that is opened.
    """
    window = qt_main_window(viewer)
    if window is None or not loads_in_background(viewer):
        return

    def show(scans: list[str]) -> None:
        if scans:
            notify.info(
                f"Opened: the case in {case}. {folder.name} also holds {list_text(scans)}. To "
                "prepare a scan, drop its folder."
            )

    run_in_thread(
        lambda: list(unprepared_scans(folder, case)),
        window,
        show,
        _on_failed,
        name=f"scans in {folder.name}",
    )


def _on_failed(error: Exception) -> None:
    if not isinstance(error, SmalltumorError):  # such as a missing package: nobody asked for it
        notify.report_error(error)


def unprepared_scans(folder: Path, case: Path) -> Iterator[str]:
    """Each DICOM study with a sequence of the brain that is not that of a case, with its folder.

    Of a case that another program made, it is not known of which study.
    """
    images, _ = read_images(folder)
    by_study: dict[str, list[Series]] = {}
    for series in group_series(images):
        by_study.setdefault(series.study, []).append(series)
    prepared = recorded_uid(case)
    for study in by_study.values():
        is_scan = any(classify(series.acquisition).sequence is not None for series in study)
        if is_scan and prepared not in {series.uid for series in study}:
            files = [str(file.parent) for series in study for file in series.files]
            place = Path(os.path.commonpath(files))
            yield f"the scan of {study[0].study_title} in {place}"
