"""A patient all of whose layers were removed can be opened again, with its edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari_cases import case_along, write_case_along
from qtpy.QtWidgets import QApplication
from shown_layers import open_segmented

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.closing.close_patient import close_patient, reopen_closed
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.editing.earlier_scan import mark_as_earlier_scan
from napari_smalltumor.layers.patient import Patient, assign, layers_of_patient, patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed import closed_patients as closed_patients_module
from napari_smalltumor.patients.removed import removed_layers as removed_layers_module
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.viewer_setup import set_up

PAT, NEXT = Patient("Pat"), Patient("Next")


@pytest.fixture(autouse=True)
def warnings(monkeypatch) -> list[str]:
    """Messages, given at once, also where an earlier test has created an application."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "warn", shown.append)
    monkeypatch.setattr(questions, "confirm", lambda *_: True)
    monkeypatch.setattr(questions, "ask", lambda *_, **__: "Close without saving")
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    return shown


@pytest.fixture
def idle(monkeypatch) -> Callable[[], None]:
    """Function that calls what waits for the next turn of the event loop."""
    waiting: list[Callable[[], None]] = []
    for module in (closed_patients_module, removed_layers_module):
        monkeypatch.setattr(module, "when_idle", waiting.append)
    monkeypatch.setattr(closed_patients_module, "in_next_turn", waiting.append)

    def turn() -> None:
        while waiting:
            waiting.pop(0)()

    return turn


def remove_all(viewer: ViewerModel, patient: Patient = PAT) -> None:
    viewer.layers.selection = set(layers_of_patient(viewer.layers, patient))
    viewer.layers.remove_selected()


def test_all_layers_return_in_their_order_as_they_were_with_their_edits(viewer, warnings, idle):
    open_segmented(viewer, "Pat")
    drawn = viewer.add_labels(np.ones((3, 3, 3), np.uint8), name="drawn")
    layers, shown = list(viewer.layers), [layer.visible for layer in viewer.layers]
    et = viewer.layers["Pat ET"]
    before = et.data.copy()
    et.data_setitem(tuple(np.array([2]) for _ in range(3)), [1 - et.data[2, 2, 2]])
    edited = et.data.copy()
    remove_all(viewer)
    idle()
    assert list(viewer.layers) == [] and closed_patients(viewer).patients == [PAT]
    assert warnings == [
        "All layers of Pat were removed, so the patient was closed. "
        "Click Open Pat again at the top of a Small Tumour dock to bring them back."
    ]
    reopen_closed(viewer, PAT)
    assert list(viewer.layers) == layers and drawn in layers
    assert [layer.visible for layer in viewer.layers] == shown
    assert active_patient(viewer).current == PAT and np.array_equal(et.data, edited)
    assert closed_patients(viewer).patients == []
    et.undo()
    assert np.array_equal(et.data, before)


@pytest.mark.parametrize("backwards", [True, False])
def test_layers_that_were_removed_one_by_one_return_in_their_order(viewer, idle, backwards):
    open_segmented(viewer, "Pat")
    layers = list(viewer.layers)
    for layer in reversed(layers) if backwards else layers:
        viewer.layers.remove(layer)
        idle()
    reopen_closed(viewer, PAT)
    assert list(viewer.layers) == layers


def test_patients_closed_in_turn_are_all_offered_and_one_message_names_them(
    viewer, idle, warnings, monkeypatch
):
    for name in ("Next", "Pat"):
        open_segmented(viewer, name)
    removed: list[Patient] = []
    monkeypatch.setattr(active_patient(viewer).messages, "remove", removed.append)
    for patient in (NEXT, PAT):
        for layer in layers_of_patient(viewer.layers, patient):
            viewer.layers.remove(layer)
        idle()
    closed = closed_patients(viewer)
    assert closed.patients == [NEXT, PAT]
    assert warnings[1:] == [
        "All layers of Next and Pat were removed, so the patients were closed. "
        "Click Open ... again at the top of a Small Tumour dock to bring the layers of each back."
    ]
    assert removed.count(NEXT) == 3  # when it was closed, and for each message
    for patient in (NEXT, PAT):
        reopen_closed(viewer, patient)
        assert active_patient(viewer).current == patient
    assert closed.patients == [] and len(viewer.layers) == 14


def test_visits_of_one_name_that_are_cleared_together_keep_the_titles_that_tell_them_apart(
    viewer, idle, warnings
):
    visits = []
    for folder in ("visit1", "visit2"):
        case = case_along(name="P7")
        case.folder = Path("/data") / folder / "P7"
        set_up(viewer)
        for data, attributes, _ in image_layers(case):
            viewer.add_image(data, **attributes)
        visits.append(active_patient(viewer).current)
    drawn = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="drawn")
    drawn.data[1, 1, 1] = 1
    viewer.layers.clear()
    idle()
    closed = closed_patients(viewer)
    assert [closed.title_of(visit) for visit in visits] == ["P7 (visit1)", "P7 (visit2)"]
    assert len(warnings) == 1
    assert warnings[0].startswith("All layers of P7 (visit2) and P7 (visit1) were removed, so")
    reopen_closed(viewer, visits[0])
    assert closed.title_of(visits[1]) == "P7 (visit2)"
    reopen_closed(viewer, visits[1])
    assert drawn in layers_of_patient(viewer.layers, visits[1])


def test_a_drawing_stays_until_its_patient_is_opened_and_then_returns_with_it(viewer, idle):
    open_segmented(viewer, "Pat")
    drawn = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="drawn")
    drawn.data[1, 1, 1] = 1
    remove_all(viewer)
    idle()
    open_segmented(viewer, "Next")
    closed = closed_patients(viewer)
    assert closed.patients == [PAT] and closed.unsaved_of(PAT) == ["drawn"]
    open_segmented(viewer, "Pat")
    idle()
    assert closed.patients == [] and viewer.layers.count(drawn) == 1
    assert active_patient(viewer).current == PAT and drawn.visible


def close_drawn(viewer: ViewerModel, folder: Path, name: str) -> tuple[Patient, Labels]:
    """Open a folder, draw labels of a name, and remove all layers."""
    patient = patient_of(open_case(viewer, folder)[0])
    assert patient is not None
    drawn = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name=name)
    drawn.data[1, 1, 1] = 1
    remove_all(viewer, patient)
    return patient, drawn


def replace_image(folder: Path) -> None:
    image = nib.load(folder / "Pat_t1ce.nii.gz")
    other = nib.Nifti1Image(np.asarray(image.dataobj) + np.uint8(1), image.affine)
    nib.save(other, folder / "Pat_t1ce.nii.gz")


@pytest.mark.parametrize("replaced", [True, False])
def test_a_drawing_returns_only_onto_the_images_it_was_drawn_on(
    viewer, warnings, idle, tmp_path, replaced
):
    """The folder may hold another patient's images by then."""
    folder = write_case_along(tmp_path / "Pat", labels=False)
    set_up(viewer)
    _, drawn = close_drawn(viewer, folder, "drawn")
    idle()
    if replaced:
        replace_image(folder)
    warnings.clear()
    open_case(viewer, folder)
    idle()
    assert (drawn in viewer.layers) != replaced
    assert any("hold other images" in text for text in warnings) == replaced


def test_drawings_that_do_not_fit_other_images_stay_in_the_list_until_they_return(
    viewer, warnings, idle, tmp_path
):
    """The patient is closed twice, each time with a drawing, before the first one returns."""
    folder = write_case_along(tmp_path / "Pat", labels=False)
    set_up(viewer)
    patient, first = close_drawn(viewer, folder, "first")
    idle()
    replace_image(folder)
    closed = closed_patients(viewer)
    _, second = close_drawn(viewer, folder, "second")
    idle()
    assert closed.patients == [patient] and closed.unsaved_of(patient) == ["first", "second"]
    reopen_closed(viewer, patient)
    assert second in viewer.layers and closed.unsaved_of(patient) == ["first"]
    warnings.clear()
    reopen_closed(viewer, patient)  # refused while other images are open
    assert first not in viewer.layers and closed.unsaved_of(patient) == ["first"]
    assert warnings == [
        "first was not brought back: the files of Pat hold other images than those on which you "
        "drew. To bring it back, close Pat, and click Open Pat again at the top of a Small Tumour "
        "dock."
    ]
    close_patient(viewer, patient)
    open_segmented(viewer, "Next")
    reopen_closed(viewer, patient)
    assert first in viewer.layers and second not in viewer.layers and closed.patients == []


def test_edits_that_autosave_does_not_keep_stay_until_they_return(viewer, warnings, idle):
    settings.put("autosave", False)
    open_segmented(viewer, "Pat")
    et = viewer.layers["Pat ET"]
    et.data_setitem(tuple(np.array([2]) for _ in range(3)), [1 - et.data[2, 2, 2]])
    drawn = viewer.add_labels(np.ones((3, 3, 3), np.uint8), name="drawn")
    remove_all(viewer)
    idle()
    open_segmented(viewer, "Next")
    closed = closed_patients(viewer)
    assert closed.patients == [PAT] and "Pat ET" in closed.unsaved_of(PAT)
    open_segmented(viewer, "Pat")
    idle()
    assert drawn in viewer.layers and et not in viewer.layers
    assert warnings[-1].startswith("Pat ET was not brought back: Pat was opened from its files")
    close_patient(viewer, PAT)
    reopen_closed(viewer, PAT)
    assert et in viewer.layers and closed.patients == []


def test_a_patient_whose_files_are_being_read_is_not_opened_twice(viewer, idle):
    open_segmented(viewer, "Next")
    open_segmented(viewer, "Pat")
    remove_all(viewer)
    idle()
    patients = active_patient(viewer)
    for data, attributes, _ in image_layers(case_along(name="Pat")):
        patients.insert_arriving(Image(data, **attributes))
    reopen_closed(viewer, PAT)
    assert len(layers_of_patient(viewer.layers, PAT)) == 4
    patients.finish_arrivals()
    assert closed_patients(viewer).patients == [] and patients.current == PAT


def test_a_dismissed_patient_is_forgotten(viewer, idle):
    for name in ("Next", "Pat"):
        open_segmented(viewer, name)
    viewer.layers.clear()
    idle()
    closed = closed_patients(viewer)
    closed.dismiss(NEXT)
    assert closed.patients == [PAT]
    reopen_closed(viewer, NEXT)
    assert list(viewer.layers) == []


def test_the_patient_returns_beside_another_one_and_is_active(viewer, idle):
    open_segmented(viewer, "Next")
    open_segmented(viewer, "Pat")
    remove_all(viewer)
    idle()
    assert active_patient(viewer).current == NEXT
    reopen_closed(viewer, PAT)
    assert active_patient(viewer).current == PAT
    assert not any(x.visible for x in layers_of_patient(viewer.layers, NEXT))


def test_a_patient_that_is_opened_ends_the_offer(viewer, idle):
    open_segmented(viewer, "Pat")
    remove_all(viewer)
    idle()
    open_segmented(viewer, "Next")
    assert closed_patients(viewer).patients == []
    reopen_closed(viewer, PAT)
    assert layers_of_patient(viewer.layers, PAT) == []


def test_a_patient_that_is_closed_with_its_button_is_not_offered(viewer, idle, warnings):
    open_segmented(viewer, "Pat")
    close_patient(viewer, PAT)
    idle()
    assert closed_patients(viewer).patients == [] and warnings == []


def test_an_earlier_scan_does_not_return_since_its_comparison_is_gone(viewer, idle):
    open_segmented(viewer, "Pat")
    earlier = viewer.add_image(np.zeros((3, 3, 3)), name="earlier")
    assign(earlier, PAT)
    mark_as_earlier_scan(earlier, "visit 1")
    remove_all(viewer)
    idle()
    reopen_closed(viewer, PAT)
    assert earlier not in viewer.layers and len(viewer.layers) == 7


def test_a_patient_whose_only_layer_is_replaced_is_not_closed(viewer, idle, warnings):
    set_up(viewer)
    data, attributes, _ = image_layers(case_along(name="Pat"))[0]
    layer = viewer.add_image(data, **attributes)
    viewer.layers.remove(layer)
    viewer.layers.append(layer)
    idle()
    assert warnings == [] and closed_patients(viewer).patients == []
