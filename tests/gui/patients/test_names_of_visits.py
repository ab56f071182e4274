"""Files of two visits have names of their own, also if each visit is open alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import write_case_along
from qtpy.QtWidgets import QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import notify, settings
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.report.command import ask_for_page


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, monkeypatch):
    """A visit of P7, whose name states none, with regions."""
    monkeypatch.setattr(notify, "info", lambda text: None)
    monkeypatch.setattr(settings, "remember_folder", lambda *a, **k: None)
    viewer = make_napari_viewer()
    folder = write_case_along(tmp_path / "visit1" / "P7", labels=False)
    case = case_of(open_case(viewer, folder)[0])
    classes = np.full(case.grid.shape, 3, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return viewer


def choose(monkeypatch, folder: Path | None) -> list[str]:
    """The names that dialogs propose, which are chosen in a folder; cancel if that is None."""
    proposed: list[str] = []

    def answer(parent, title, start, *arguments, **options):
        proposed.append(Path(start).name)
        return ("" if folder is None else str(folder / proposed[-1])), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return proposed


def test_names_that_are_proposed_have_the_visit_that_a_folder_states(viewer, monkeypatch, qtbot):
    dock = LesionsDock(viewer)
    qtbot.addWidget(dock)
    proposed = choose(monkeypatch, None)
    ask_and_export(viewer, None, per_region=False)
    ask_for_page(viewer, case_of(viewer.layers["P7 ET"]), None)
    dock.table_file.ask_and_save()
    assert proposed == [
        *("P7_visit1_smalltumor.nii.gz", "P7_visit1_report.pdf", "P7_visit1_et_lesions.csv")
    ]


@pytest.mark.slow
def test_an_export_of_a_visit_is_found_beside_its_images_and_joins_it_from_elsewhere(
    viewer, tmp_path, monkeypatch
):
    (tmp_path / "out").mkdir()
    for folder in (tmp_path / "out", tmp_path / "visit1" / "P7"):
        choose(monkeypatch, folder)
        assert ask_and_export(viewer, None, per_region=False)
    assert save_state(viewer).is_saved
    viewer.layers.clear()
    open_case(viewer, tmp_path / "visit1" / "P7")
    regions = [layer for layer in viewer.layers if region_of(layer) is not None]
    assert len(regions) == 3
    for layer in regions:
        viewer.layers.remove(layer)
    exported = str(tmp_path / "out" / "P7_visit1_smalltumor.nii.gz")
    for data in get_reader(exported)(exported):
        viewer.add_layer(Layer.create(*data))
    assert len([layer for layer in viewer.layers if region_of(layer) is not None]) == 3
    assert [patient.name for patient in active_patient(viewer).patients] == ["P7"]
