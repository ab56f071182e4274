"""Regions of a patient are exported as a DICOM SEG of the scan, whose folder is asked for once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from dicom_cases import write_series
from event_loop import let_workers_end
from napari_cases import write_case_along
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QFileDialog, QMenu
from shown_layers import show_segmentation
from smalltumor import extras
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.data.volumes.nifti import read_nifti, stem
from smalltumor.labels.regions import TissueClass
from smalltumor.scanner.prepared.prepared_files import RECORD_VERSION

from napari_smalltumor import notify, questions
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.scanner import archives, dicom_seg, known_scans
from napari_smalltumor.scanner.archives import unpacked_folder
from napari_smalltumor.scanner.dicom_seg import _study_of, ask_and_export_dicom_seg

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A case, and the DICOM series of its T1CE in `tmp_path` / study."""
    case = write_case_along(tmp_path / "Pat", "LPS")
    volume = read_nifti(next(case.glob("*_t1ce.nii.gz")))
    data = np.asarray(volume.data, np.uint16)
    write_series(tmp_path / "study" / "4", data, volume.grid, "Ax T1 POST", number=4)
    return case


@pytest.fixture
def asked(monkeypatch, tmp_path) -> list[str]:
    """The dialogs that were shown; they are answered with the study and a name without ending."""
    shown: list[str] = []
    monkeypatch.setattr(known_scans, "_SCANS", {})

    def folder_of_study(parent, title, start):
        shown.append("folder")
        return str(tmp_path / "study")

    def name(parent, title, start, filters, **options):
        shown.append(Path(start).name)
        return str(tmp_path / "regions"), filters

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", folder_of_study)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    monkeypatch.setattr(questions, "confirm", lambda *a: shown.append("replace") or True)
    return shown


@pytest.fixture
def refused(monkeypatch) -> list[str]:
    """What was said of a folder without the series; no other one is chosen."""
    texts: list[str] = []

    def confirm(parent, title, text, action):
        assert (title.split(" of ")[0], action) == ("Not the study", "Choose another folder")
        return bool(texts.append(text))

    monkeypatch.setattr(questions, "confirm", confirm)
    return texts


@pytest.mark.slow
def test_regions_with_their_edits_become_a_dicom_seg(
    make_napari_viewer, folder, tmp_path, asked, errors, monkeypatch, qtbot
):
    told: list[str] = []
    monkeypatch.setattr(notify, "info", told.append)
    viewer = make_napari_viewer()
    layers = open_case(viewer, folder)
    told.clear()
    case = case_of(layers[0])
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2:5, 3:5, 4] = TissueClass.ET
    run = InferenceRun(1.0, "cpu", "torch", "fifty patients")
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, run=run))
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert "refers to the series 4 Ax T1 POST of patient P1, 2024-01-02" in told[0]
    seg = pydicom.dcmread(tmp_path / "regions.dcm")
    assert (seg.pixel_array.sum(), seg.PatientID) == (6, "P1")
    assert seg.SegmentSequence[2].SegmentAlgorithmType == "AUTOMATIC"
    layer = viewer.layers[f"{case.name} ET"]
    layer.data = np.zeros_like(layer.data)
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil(lambda: len(told) == 2)
    seg = pydicom.dcmread(tmp_path / "regions.dcm")
    segment = seg.SegmentSequence[2]
    assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmParameters == "weights=fifty patients"
    name = f"{case.name}_smalltumor.dcm"
    assert asked == ["folder", name, name, "replace"]
    assert errors == []


@pytest.mark.one_binding
def test_a_folder_without_the_series_is_refused_and_is_asked_for_again(
    make_napari_viewer, folder, tmp_path, asked, refused, qtbot
):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    classes = np.full(case.grid.shape, TissueClass.ET, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    for path in (tmp_path / "study" / "4").iterdir():
        path.unlink()
    for count in (1, 2):
        ask_and_export_dicom_seg(viewer, None)
        qtbot.waitUntil(lambda count=count: len(refused) == count)
    assert "holds no images" in refused[0]
    assert asked == ["folder", "folder"]
    assert not (tmp_path / "regions.dcm").exists()


@pytest.mark.slow
@pytest.mark.parametrize("is_found", [True, False])
def test_nothing_is_asked_under_a_menu_that_is_open(
    make_napari_viewer, folder, tmp_path, asked, refused, monkeypatch, qtbot, is_found
):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    classes = np.full(case.grid.shape, TissueClass.ET, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    if not is_found:
        for path in (tmp_path / "study" / "4").iterdir():
            path.unlink()
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **k: (str(asked.append("file") or ""), "")
    )
    searched: list[str] = []
    search = dicom_seg.series_of_segmentation

    def searching(*arguments, **named):
        try:
            return search(*arguments, **named)
        finally:
            searched.append("")

    monkeypatch.setattr(dicom_seg, "series_of_segmentation", searching)
    ask_and_export_dicom_seg(viewer, None)
    menu = QMenu()
    menu.addAction("Action")
    menu.popup(QPoint(0, 0))
    qtbot.addWidget(menu)
    qtbot.waitUntil(lambda: bool(searched))
    let_workers_end(qtbot)
    assert asked == ["folder"] and refused == []
    menu.close()
    qtbot.waitUntil(lambda: asked == ["folder", "file"] if is_found else len(refused) == 1)


def test_a_prepared_case_whose_scan_is_not_in_its_folder_is_exported_with_another_folder(
    make_napari_viewer, folder, tmp_path, asked, errors, monkeypatch, qtbot
):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    show_segmentation(
        viewer, case, Segmentation(case.name, np.ones(case.grid.shape, np.uint8), case.grid)
    )
    name = stem(case.paths["t1ce"]).removesuffix("_t1ce")
    sequences = {"t1ce": {"series_uid": "1.2.3.4"}}
    record = {"version": RECORD_VERSION, "sequences": sequences}
    (folder / f"{name}_prepared.json").write_text(json.dumps(record))
    (folder / f"{name}_brain.nii.gz").touch()
    wrong = Path(shutil.move(tmp_path / "study", tmp_path / "wrong"))
    known_scans.remember_scan(folder, wrong)
    volume = read_nifti(case.paths["t1ce"])
    data = np.asarray(volume.data, np.uint16)
    study = tmp_path / "study" / "4"
    write_series(study, data, volume.grid, "Ax T1 POST", SeriesInstanceUID="1.2.3.4")
    said: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(said.append(a[2])) or True)
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil((tmp_path / "regions.dcm").exists)
    assert asked == ["folder", "Pat_smalltumor.dcm"]
    assert len(said) == 1
    assert "does not hold the series that the case was prepared from" in said[0]
    qtbot.waitUntil(lambda: known_scans.scan_of(folder) == tmp_path / "study")
    assert errors == []


def test_the_study_of_another_visit_is_refused_before_a_file_is_asked_for(
    make_napari_viewer, folder, tmp_path, asked, refused, qtbot
):
    viewer = make_napari_viewer()
    other = write_case_along(tmp_path / "visit2" / "Pat", labels=False, seed=1)
    case = case_of(open_case(viewer, other)[0])
    classes = np.full(case.grid.shape, TissueClass.ET, np.uint8)
    made_of = digests_of_images(case)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, made_of=made_of))
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil(lambda: bool(refused))
    assert asked == ["folder"]
    assert f"Pat in {other} was made of other images than 4 Ax T1 POST" in refused[0]
    assert f" in {tmp_path / 'study'}: of another visit" in refused[0]


@pytest.mark.one_binding
def test_a_failed_export_forgets_the_scan_only_if_it_is_the_wrong_one(
    make_napari_viewer, folder, tmp_path, asked, errors, qtbot
):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    show_segmentation(
        viewer, case, Segmentation(case.name, np.ones(case.grid.shape, np.uint8), case.grid)
    )
    known_scans.remember_scan(folder, tmp_path / "study")
    (tmp_path / "regions.dcm").write_text("another file")
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil(lambda: bool(errors))
    assert "is not a DICOM segmentation" in errors[0]
    assert known_scans.scan_of(folder) == tmp_path / "study"


def test_nothing_is_exported_to_the_temporary_folder_of_an_archive(
    make_napari_viewer, folder, tmp_path, asked, errors, monkeypatch, qtbot
):
    monkeypatch.setattr(archives, "_UNPACKED", {})
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    unpacked = unpacked_folder(tmp_path / "study.zip")
    known_scans.remember_scan(folder, unpacked)
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    show_segmentation(
        viewer, case, Segmentation(case.name, np.ones(case.grid.shape, np.uint8), case.grid)
    )
    proposed: list[Path] = []

    def name(parent, title, start, filters, **options):
        proposed.append(Path(start).parent)
        return str(unpacked.parent / "regions"), filters

    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    ask_and_export_dicom_seg(viewer, None)
    qtbot.waitUntil(lambda: bool(errors))
    assert proposed == [tmp_path]
    assert "is deleted when napari ends" in errors[0]
    assert not list(unpacked.parent.glob("*.dcm"))


def test_that_highdicom_is_missing_is_said_before_anything_is_asked(
    make_napari_viewer, folder, asked, errors, monkeypatch
):
    viewer = make_napari_viewer()
    case = case_of(open_case(viewer, folder)[0])
    show_segmentation(
        viewer, case, Segmentation(case.name, np.ones(case.grid.shape, np.uint8), case.grid)
    )
    monkeypatch.setattr(extras, "missing_packages", lambda modules: list(modules)[-1:])
    ask_and_export_dicom_seg(viewer, None)
    assert asked == []
    assert "needs the package highdicom" in errors[0]


@pytest.mark.parametrize("uid", ["", "1.2.3.4"])
def test_a_remembered_folder_is_used_only_if_the_record_tells_the_series(
    folder, tmp_path, asked, monkeypatch, uid
):
    case = read_case(folder)
    name = stem(case.paths["t1ce"]).removesuffix("_t1ce")
    record = {"version": RECORD_VERSION, "sequences": {"t1ce": {"series_uid": uid}}}
    (folder / f"{name}_prepared.json").write_text(json.dumps(record))
    (folder / f"{name}_brain.nii.gz").touch()
    known_scans.remember_scan(folder, tmp_path / "study")
    monkeypatch.setattr(known_scans, "_SCANS", {})  # as after a restart
    assert _study_of(case, "Pat", None) == tmp_path / "study"
    assert asked == ([] if uid else ["folder"])


def test_without_regions_nothing_is_asked(make_napari_viewer, asked, errors):
    ask_and_export_dicom_seg(make_napari_viewer(), None)
    assert asked == []
    assert "segment a case first" in errors[0]
