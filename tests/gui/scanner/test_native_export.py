"""Masks of a prepared scan are exported on the native grid of any of its series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari_cases import write_case_along
from qtpy.QtWidgets import QDialog, QFileDialog
from raw_scans import SHIFT_MM, prepared_by_hand, write_raw_scan
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.labels.regions import Region
from smalltumor.scanner.prepared.prepared_files import write_prepared

from napari_smalltumor import notify
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def dialog(monkeypatch) -> dict[str, object]:
    """The file types that the file dialog offered, and what it answers."""
    state: dict[str, object] = {"answer": ("", "")}

    def ask(parent, title, start, filters, **options):
        state["filters"], state["start"] = filters.split(";;"), start
        return state["answer"]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    monkeypatch.setattr(notify, "info", lambda message: None)
    return state


def show_tumour(viewer, folder):
    case = case_of(open_case(viewer, folder)[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[8:14, 9:15, 7:12] = 3
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return classes


def test_the_mask_lies_on_the_native_grid_of_the_series(
    make_napari_viewer, tmp_path, monkeypatch, dialog, errors
):
    scan = write_raw_scan(tmp_path / "scan")
    folder = tmp_path / "Pat"
    write_prepared(prepared_by_hand(scan), folder)
    viewer = make_napari_viewer()
    classes = show_tumour(viewer, folder)
    t2 = "NIfTI on the native grid of T2 (*.nii.gz *.nii)"
    own = "NIfTI on the grid of T1CE (*.nii.gz *.nii)"
    shown: list[str] = []

    def choose(file_dialog: QFileDialog) -> int:
        """Choose one grid after the other, and accept the last one."""
        assert file_dialog.nameFilters() == [own, t2]
        for file_type in (t2, own, t2):
            file_dialog.selectNameFilter(file_type)
            file_dialog.filterSelected.emit(file_type)
            shown.append(Path(file_dialog.selectedFiles()[0]).name)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec_", choose)
    (path,) = ask_and_export(viewer, None, per_region=False)
    assert errors == []
    assert shown == ["Pat_t2_smalltumor.nii.gz", "Pat_smalltumor.nii.gz", path.name]
    assert path.name == "Pat_t2_smalltumor.nii.gz"  # it would be opened with the case otherwise
    written, native = read_nifti(path), read_nifti(scan / "ax_t2.nii.gz")
    assert written.grid.matches(native.grid)
    found = native.grid.to_patient(np.argwhere(written.data > 0).mean(axis=0))
    grid = case_of(viewer.layers[0]).grid
    centre = grid.to_patient(np.argwhere(classes > 0).mean(axis=0))
    expected = np.add(centre, (SHIFT_MM, 0, 0))
    assert np.linalg.norm(found - expected) < 2.5  # half a voxel


def test_edits_that_are_exported_on_another_grid_stay_unsaved(
    make_napari_viewer, tmp_path, monkeypatch, dialog, errors
):
    folder = tmp_path / "Pat"
    write_prepared(prepared_by_hand(write_raw_scan(tmp_path / "scan")), folder)
    viewer = make_napari_viewer()
    show_tumour(viewer, folder)
    et = region_layers(viewer.layers, case_of(viewer.layers[0]))[Region.ET]
    et.data_setitem((np.array([2]),) * 3, 1)
    edits = ensure_autosave(viewer).autosave
    edits.save()

    def choose(file_dialog: QFileDialog) -> int:
        file_dialog.selectNameFilter("NIfTI on the native grid of T2 (*.nii.gz *.nii)")
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec_", choose)
    assert ask_and_export(viewer, None, per_region=False) and errors == []
    edits.wait()
    assert edits.edited([et]) == [et.name]
    assert edits.folder.file_of(case_of(et)).exists()


@pytest.mark.one_binding
def test_a_case_that_was_not_prepared_has_only_its_own_grid(make_napari_viewer, tmp_path, dialog):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))[0])
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    ask_and_export(viewer, None, per_region=False)
    assert dialog["filters"] == ["NIfTI (*.nii.gz *.nii)"]
