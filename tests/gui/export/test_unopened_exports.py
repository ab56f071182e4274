"""A patient whose masks were exported elsewhere is not opened as if nothing had been done."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import write_case_along
from qtpy.QtWidgets import QFileDialog, QInputDialog
from shown_layers import show_segmentation
from smalltumor.data.bids.names import bids_paths
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.bids_dialog import ask_and_export_bids
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.export.save import save
from napari_smalltumor.export.unopened_exports import unopened_exports
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up
from napari_smalltumor.widgets import readable_messages


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """What the user is told of exports that were not opened."""
    told: list[str] = []
    monkeypatch.setattr(notify, "info", lambda text: "exported on" in text and told.append(text))
    monkeypatch.setattr(settings, "remember_folder", lambda *a, **k: None)
    return told


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, told):
    viewer = make_napari_viewer()
    set_up(viewer)
    write_case_along(tmp_path / "P7", labels=False)
    (tmp_path / "out").mkdir()
    return viewer


@pytest.fixture
def header(viewer, qtbot):
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    return header


def segmented(viewer, tmp_path) -> None:
    case = case_of(open_case(viewer, tmp_path / "P7")[0])
    classes = np.full(case.grid.shape, 3, np.uint8)
    made_of = digests_of_images(case)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, made_of=made_of))


def export_elsewhere(viewer, tmp_path, monkeypatch):
    path = tmp_path / "out" / "P7_smalltumor.nii.gz"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    assert ask_and_export(viewer, None, per_region=False) == [path]
    return path


def export_to_bids(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path / "out"))
    monkeypatch.setattr(QInputDialog, "getText", lambda *a: ("", True))
    assert ask_and_export_bids(viewer, None)
    return bids_paths("P7", tmp_path / "out")[0]


def reopen(viewer, tmp_path, qtbot) -> dict[Region, object]:
    viewer.layers.clear()
    opened = []
    ensure_autosave(viewer).opened.connect(opened.append)
    case = case_of(open_case(viewer, tmp_path / "P7")[0])
    qtbot.waitUntil(lambda: bool(opened))
    return region_layers(viewer.layers, case)


@pytest.mark.slow
@pytest.mark.parametrize("export", [export_elsewhere, export_to_bids])
def test_masks_that_were_exported_elsewhere_are_named_and_can_be_opened(
    viewer, header, tmp_path, told, monkeypatch, qtbot, export
):
    segmented(viewer, tmp_path)
    path = export(viewer, tmp_path, monkeypatch)
    assert header.export_button.isHidden() and not told
    assert reopen(viewer, tmp_path, qtbot) == {}
    (text,) = told
    assert text.startswith("The regions of P7 were exported on 20") and str(path) in text
    assert header.export_button.text() in text and not header.export_button.isHidden()
    assert header.export_button.toolTip() == f"Show {path}"
    closed: set[str] = set()
    monkeypatch.setattr(readable_messages, "close_messages", closed.update)
    header.export_button.click()
    regions = region_layers(viewer.layers, case_of(viewer.layers[0]))
    assert set(regions) == set(Region) and np.all(regions[Region.ET].data)
    assert header.export_button.isHidden() and text in closed


@pytest.mark.slow
@pytest.mark.parametrize("what", ["saved", "deleted", "of other images"])
def test_nothing_is_said_of_masks_that_are_opened_gone_or_of_others(
    viewer, header, tmp_path, told, monkeypatch, qtbot, what
):
    segmented(viewer, tmp_path)
    path = export_elsewhere(viewer, tmp_path, monkeypatch)
    if what == "saved":
        assert save(viewer, None)
    elif what == "deleted":
        path.unlink()
    else:
        other = read_case(write_case_along(tmp_path / "other" / "P7", labels=False, seed=1))
        classes = np.full(other.grid.shape, 3, np.uint8)
        made_of = digests_of_images(other)
        mask = Segmentation("P7", classes, other.grid, other.header, made_of=made_of)
        write_segmentation(mask, path, overwrite=True)
    reopen(viewer, tmp_path, qtbot)
    assert told == [] and header.export_button.isHidden()


@pytest.mark.slow
@pytest.mark.one_binding
def test_an_export_that_is_newer_than_the_saved_masks_is_named_without_a_button(
    viewer, header, tmp_path, told, monkeypatch, qtbot
):
    segmented(viewer, tmp_path)
    save(viewer, None)
    et = region_layers(viewer.layers, case_of(viewer.layers[0]))[Region.ET]
    et.data_setitem(tuple(np.array([2]) for _ in range(3)), 0)
    export_elsewhere(viewer, tmp_path, monkeypatch)
    assert set(reopen(viewer, tmp_path, qtbot)) == set(Region)
    assert len(told) == 1 and header.export_button.isHidden() and "Click" not in told[0]


@pytest.mark.slow
def test_an_export_of_a_patient_who_is_not_active_is_offered_until_it_is_opened(
    viewer, header, tmp_path, told, monkeypatch, qtbot
):
    segmented(viewer, tmp_path)
    export_elsewhere(viewer, tmp_path, monkeypatch)
    viewer.layers.clear()
    closed: set[str] = set()
    monkeypatch.setattr(readable_messages, "close_messages", closed.update)
    opened = []
    ensure_autosave(viewer).opened.connect(opened.append)
    open_case(viewer, tmp_path / "P7")
    open_case(viewer, write_case_along(tmp_path / "Q8", labels=False))
    qtbot.waitUntil(lambda: len(opened) == 2)
    (text,) = told
    assert "Choose P7 and click Open the export of " in text
    viewer.layers.remove("Q8 T1")
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    assert text not in closed and header.export_button.text() in text
    header.export_button.click()
    assert text in closed


@pytest.mark.slow
@pytest.mark.one_binding
def test_no_export_is_offered_on_other_images_of_the_name_also_without_autosave(
    viewer, header, tmp_path, told, monkeypatch, qtbot
):
    segmented(viewer, tmp_path)
    export_elsewhere(viewer, tmp_path, monkeypatch)
    reopen(viewer, tmp_path, qtbot)
    patient = active_patient(viewer).current
    assert unopened_exports(viewer).to_open(patient) is not None
    viewer.layers.clear()
    settings.put("autosave", False)
    write_case_along(tmp_path / "P7", labels=False, seed=1)
    open_case(viewer, tmp_path / "P7")
    qtbot.wait(300)
    assert active_patient(viewer).current == patient
    assert unopened_exports(viewer).to_open(patient) is None
    assert header.export_button.isHidden()
