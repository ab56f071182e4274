"""With two patients open, the window shows, names and changes only the active one."""

from __future__ import annotations

import numpy as np
import pytest
from event_loop import let_turns_pass
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from napari.layers._layer_actions import _duplicate_layer, _toggle_lock
from napari_cases import write_case_along
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractButton, QApplication, QFileDialog, QMessageBox
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import read_nifti
from synthetic import write_case

from napari_smalltumor import devices, notify, questions, settings
from napari_smalltumor.display.shown_sequence import show_sequence
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.layers.patient import layers_of_patient, patient_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title


@pytest.fixture(autouse=True)
def no_search_for_devices(monkeypatch):
    for name in ("find_devices", "find_memory"):
        monkeypatch.setattr(devices, name, lambda *arguments: None)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


def open_two(viewer, tmp_path) -> list:
    """Open two cases of one name; the second is active."""
    for seed, visit in enumerate(("first", "second")):
        open_case(viewer, write_case(tmp_path / visit, seed=seed))
    return active_patient(viewer).patients


def button_of(header: PatientHeader, text: str) -> QAbstractButton:
    """The visible button with a text or a name for screen readers."""
    found = [
        x
        for x in header.findChildren(QAbstractButton)
        if text in (x.text(), x.accessibleName()) and not x.parentWidget().isHidden()
    ]
    assert len(found) == 1
    return found[0]


def header_of(dock) -> PatientHeader:
    return dock.findChild(PatientHeader)


def visible(viewer) -> set[str]:
    return {patient_of(layer).folder.name for layer in viewer.layers if layer.visible}


@pytest.mark.one_binding
def test_the_title_and_all_docks_name_the_active_patient(viewer, dock_of, tmp_path):
    docks = [dock_of(viewer), LesionsDock(viewer), FinetuneDock(viewer)]
    for dock in docks[1:]:
        viewer.window.add_dock_widget(dock, area="right")
    pickers = [header_of(dock).picker for dock in docks]
    assert not any(picker.isEnabled() for picker in pickers)
    first, second = open_two(viewer, tmp_path)
    assert [picker.currentText() for picker in pickers] == ["case (second)"] * 3
    assert str(second.folder) in pickers[0].toolTip()
    pickers[1].setCurrentIndex(0)
    pickers[1].activated.emit(0)
    assert active_patient(viewer).current == first
    assert [picker.currentText() for picker in pickers] == ["case (first)"] * 3
    assert viewer.window._qt_window.windowTitle() == "case (first) – napari"
    assert visible(viewer) == {"first"}


def test_docks_name_another_patient_who_shows_the_same_images(viewer, dock_of, tmp_path):
    header = header_of(dock_of(viewer))
    open_two(viewer, tmp_path)
    assert header.warnings.isHidden()
    open_case(viewer, write_case(tmp_path / "Anna", name="Anna", seed=1))
    assert header.warnings.text() == "⚠ The same images are open as case (second)"
    assert not header.warnings.isHidden()
    active_patient(viewer).activate(active_patient(viewer).patients[1])
    assert header.warnings.text() == "⚠ The same images are open as Anna"
    for layer in layers_of_patient(viewer.layers, active_patient(viewer).patients[2]):
        viewer.layers.remove(layer)
    assert header.warnings.isHidden()


def test_the_picker_is_used_with_the_keyboard_and_ignores_the_wheel(
    viewer, dock_of, tmp_path, qtbot
):
    picker = header_of(dock_of(viewer)).picker
    first, second = open_two(viewer, tmp_path)
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(picker.mapToGlobal(QPoint(5, 5))),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(picker, wheel)
    assert active_patient(viewer).current == second
    viewer.window._qt_window.show()
    qtbot.keyClick(picker, Qt.Key.Key_Up)
    assert active_patient(viewer).current == second
    qtbot.keyClick(picker.view(), Qt.Key.Key_Up)
    qtbot.keyClick(picker.view(), Qt.Key.Key_Return)
    assert active_patient(viewer).current == first


@pytest.mark.one_binding
def test_keys_are_for_the_images_after_a_patient_was_chosen(viewer, dock_of, tmp_path, qtbot):
    picker = header_of(dock_of(viewer)).picker
    first, _ = open_two(viewer, tmp_path)
    window = viewer.window._qt_window
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    picker.setFocus()
    picker.activated.emit(0)
    assert active_patient(viewer).current == first
    canvas = viewer.window._qt_viewer.canvas.native
    assert canvas.hasFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown):
        qtbot.keyClick(QApplication.focusWidget(), key)
    assert active_patient(viewer).current == first


@pytest.mark.one_binding
def test_a_case_that_napari_opens_without_a_dock_becomes_the_active_patient(viewer, tmp_path):
    settings.put("default_reader", True)
    for name in ("First", "Second"):
        folder = write_case_along(tmp_path / name, labels=False)
        viewer.open(str(folder), plugin="napari-smalltumor")
    assert viewer.title == "Second – napari"
    assert visible(viewer) == {"Second"}


@pytest.mark.one_binding
def test_the_segment_dock_lists_and_segments_the_images_of_the_active_patient(
    viewer, dock_of, tmp_path, run
):
    dock = dock_of(viewer)
    first, _ = open_two(viewer, tmp_path)
    active_patient(viewer).activate(first)
    chosen = dock.panel.pickers.chosen
    assert {patient_of(layer) for layer in chosen.values()} == {first}
    combo = dock.panel.pickers._combos["t1"]
    assert {patient_of(layer) for layer in combo.choices if layer is not None} == {first}
    assert run(dock)
    assert {patient_of(x) for x in viewer.layers if region_of(x) is not None} == {first}


def test_images_of_unknown_modality_belong_to_the_patient_that_they_are_segmented_for(
    viewer, dock_of, tmp_path, run
):
    dock = dock_of(viewer)
    folder = write_case(tmp_path / "scans")
    names = {"t1ce": "contrast", "t1": "plain", "t2": "water", "flair": "suppressed"}
    for modality, name in names.items():
        (folder / f"case_{modality}.nii.gz").rename(folder / f"{name}.nii.gz")
        viewer.open(str(folder / f"{name}.nii.gz"), plugin="napari-smalltumor")
    assert len(active_patient(viewer).patients) == 4
    for modality, name in names.items():
        dock.panel.pickers.choose(modality, viewer.layers[name])
    assert run(dock)
    (patient,) = active_patient(viewer).patients
    assert patient.name == "contrast"
    case = case_of(viewer.layers["contrast ET"])
    assert {path.name for path in case.paths.values()} == {f"{n}.nii.gz" for n in names.values()}


@pytest.mark.slow
def test_a_result_that_arrives_late_goes_to_its_own_patient(
    viewer, dock_of, tmp_path, qtbot, messages
):
    dock = dock_of(viewer)
    first, second = open_two(viewer, tmp_path)
    active_patient(viewer).activate(first)
    with qtbot.waitSignal(dock.finished) as ended:
        dock.segment()
        active_patient(viewer).activate(second)
        selected = viewer.layers.selection.active
    assert ended.args == [True]
    assert visible(viewer) == {"second"}
    assert viewer.layers.selection.active is selected
    assert dock.panel.results.text == ""
    assert any("case (first) is segmented" in message for message in messages)
    active_patient(viewer).activate(first)
    regions = [x for x in viewer.layers if region_of(x) is not None]
    assert len(regions) == 3 and all(x.visible and patient_of(x) == first for x in regions)
    qtbot.waitUntil(lambda: "case" in dock.panel.results.text)


@pytest.mark.slow
@pytest.mark.one_binding
def test_the_result_of_a_patient_who_was_closed_is_discarded(viewer, dock_of, tmp_path, qtbot):
    dock = dock_of(viewer)
    first, second = open_two(viewer, tmp_path)
    active_patient(viewer).activate(first)
    with qtbot.waitSignal(dock.finished) as ended:
        dock.segment()
        for layer in list(active_patient(viewer).layers):
            viewer.layers.remove(layer)
    assert ended.args == [False]
    assert active_patient(viewer).patients == [second]
    assert not [x for x in viewer.layers if region_of(x) is not None]


@pytest.mark.one_binding
def test_the_dock_shows_no_lesions_of_the_patient_before(viewer, dock_of, tmp_path, qtbot):
    results = dock_of(viewer).panel.results
    show_regions(viewer, case_with_lesions())
    qtbot.waitUntil(lambda: "3 enhancing components" in results.text)
    open_case(viewer, write_case_along(tmp_path / "Next", labels=False))
    assert "component" not in results._lesions.text()


def test_the_table_the_rings_and_the_keys_are_those_of_the_active_patient(viewer, tmp_path, qtbot):
    settings.put("speck_below_mm3", 0)
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    case = case_with_lesions()
    show_regions(viewer, case)
    qtbot.waitUntil(lambda: len(dock.model.lesions) == 3)
    dock.review_actions.next_small()
    with_lesions = patient_of(dock.review.source.any_layer)
    before = viewer.layers["Pat ET"].data.copy()
    open_case(viewer, write_case_along(tmp_path / "Next", labels=False))
    assert dock.model.lesions == [] and dock.review.current is None
    assert dock.source_box.count() == 0
    assert len(viewer.layers["Small lesions"].data) == 0
    centre = viewer.scene.camera.center
    dock.review_actions.next_small()
    dock.review_actions.delete()
    assert viewer.scene.camera.center == centre
    assert np.array_equal(viewer.layers["Pat ET"].data, before)
    active_patient(viewer).activate(with_lesions)
    qtbot.waitUntil(lambda: len(dock.model.lesions) == 3)
    assert len(viewer.layers["Small lesions"].data) > 0
    assert dock.selected_rows() == [dock.model.row_of(dock.review.current)]


def test_a_removed_region_is_named_and_restored_from_a_dock(viewer, dock_of, qtbot, messages):
    header = header_of(dock_of(viewer))
    show_regions(viewer, case_with_lesions())
    assert header.restore_button.isHidden()
    layer = viewer.layers["Pat ET"]
    viewer.layers.selection = {layer}
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: any("ET of Pat was removed" in message for message in messages))
    assert header.restore_button.text() == "Restore ET"
    header.restore_button.click()
    assert layer in viewer.layers and layer.visible
    assert header.restore_button.isHidden()


def test_removed_regions_are_listed_with_commas_where_they_are_restored(
    viewer, dock_of, qtbot, messages
):
    header = header_of(dock_of(viewer))
    show_regions(viewer, case_with_lesions())
    viewer.layers.selection = {viewer.layers["Pat ET"]}
    _duplicate_layer(viewer.layers)
    viewer.layers.selection = {viewer.layers[f"Pat {each}"] for each in ("ET", "TC", "WT")}
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: bool(messages))
    assert messages[0].startswith("ET, TC and WT of Pat were removed.")
    assert header.restore_button.text() == "Restore ET, TC and WT"


@pytest.mark.one_binding
def test_removing_all_layers_of_a_patient_says_that_it_is_closed_and_nothing_of_its_regions(
    viewer, dock_of, qtbot, messages
):
    header = header_of(dock_of(viewer))
    show_regions(viewer, case_with_lesions())
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    let_turns_pass(qtbot)
    assert [text.split(".")[0] for text in messages] == [
        "All layers of Pat were removed, so the patient was closed"
    ]
    assert header.restore_button.isHidden()
    assert not header.closed_list.isHidden()
    button_of(header, "Open Pat again").click()
    assert len(layers_of_patient(viewer.layers, active_patient(viewer).current)) == 3
    assert header.closed_list.isHidden()


def test_a_closed_patient_with_a_drawing_is_dismissed_after_a_question(
    viewer, dock_of, qtbot, messages, monkeypatch
):
    header, asked = header_of(dock_of(viewer)), []
    show_regions(viewer, case_with_lesions())
    drawn = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="drawn")
    drawn.data[1, 1, 1] = 1
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: len(messages) == 1)
    answers = iter([False, True])
    monkeypatch.setattr(questions, "confirm", lambda *texts: asked.append(texts) or next(answers))
    button_of(header, "Do not open Pat again").click()
    assert asked[0][2:] == ("drawn of Pat was not saved and will be lost.", "Forget")
    assert not header.closed_list.isHidden()
    button_of(header, "Do not open Pat again").click()
    assert header.closed_list.isHidden()


@pytest.mark.slow
@pytest.mark.one_binding
def test_an_export_is_of_the_patient_that_was_active_when_it_was_asked_for(
    viewer, tmp_path, monkeypatch, messages
):
    first, second = open_two(viewer, tmp_path)
    for folder, value in (("first", 1), ("second", 0)):
        case = case_of(next(x for x in viewer.layers if patient_of(x).folder.name == folder))
        active_patient(viewer).activate(patient_of_folder(viewer, folder))
        show_masks(viewer, case, value)
    active_patient(viewer).activate(first)
    target = tmp_path / "mask.nii.gz"
    target.write_bytes(b"")
    titles: list[str] = []

    def choose(parent, title, *arguments, **options):
        titles.append(title)
        active_patient(viewer).activate(second)
        return str(target), ""

    def confirm(parent, title, text, action):
        titles.append(text)
        return True

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    monkeypatch.setattr(questions, "confirm", confirm)
    (written,) = ask_and_export(viewer, None, per_region=False)
    assert all("case (first)" in title for title in titles) and len(titles) == 2
    assert np.any(read_nifti(written).data)


def patient_of_folder(viewer, folder: str):
    return next(p for p in active_patient(viewer).patients if p.folder.name == folder)


def show_masks(viewer, case, value: int) -> None:
    classes = np.full(case.grid.shape, value, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))


def test_showing_layers_of_several_hidden_patients_at_once_activates_none_of_them(
    viewer, tmp_path, qtbot
):
    """As napari's *Show All Unselected Layers* does; each patient would be drawn."""
    for visit in ("first", "second", "third"):
        open_case(viewer, write_case(tmp_path / visit))
    patients, activated = active_patient(viewer), []
    patients.changed.connect(lambda: activated.append(patients.title))
    for layer in viewer.layers:
        layer.visible = True
        assert visible(viewer) == {"third"}
    let_turns_pass(qtbot)
    assert activated == [] and visible(viewer) == {"third"}
    for visit in ("third", "second"):  # as if both were selected, and napari's V toggled them
        viewer.layers[f"case ({visit}) T2"].visible = False
        viewer.layers[f"case ({visit}) T2"].visible = True
    let_turns_pass(qtbot)
    assert activated == [] and visible(viewer) == {"third"}
    viewer.layers["case (first) T2"].visible = True
    qtbot.waitUntil(lambda: patients.title == "case (first)")
    assert activated == ["case (first)"]
    assert viewer.layers["case (first) T2"].visible


@pytest.mark.parametrize("then", ["another patient", "nobody"])
def test_a_layer_that_was_shown_before_does_not_take_the_choice_of_a_patient_back(
    viewer, tmp_path, qtbot, then
):
    first, second = open_two(viewer, tmp_path)
    patients = active_patient(viewer)
    let_turns_pass(qtbot)
    show_sequence(viewer, "t2")
    if then == "nobody":
        patients.leave()
    else:
        viewer.layers["case (first) T2"].visible = True
        patients.activate(first)
        patients.activate(second)
    let_turns_pass(qtbot)
    assert patients.current == (None if then == "nobody" else second)


def test_no_patient_becomes_active_under_a_dialog_by_a_layer_that_was_shown(
    viewer, tmp_path, qtbot
):
    first, second = open_two(viewer, tmp_path)
    patients = active_patient(viewer)
    let_turns_pass(qtbot)
    viewer.layers["case (first) T2"].visible = True
    box = QMessageBox(viewer.window._qt_window)
    under: list[object] = []
    QTimer.singleShot(150, lambda: [under.append(patients.current), box.reject()])
    box.exec()
    assert under == [second]
    qtbot.waitUntil(lambda: patients.current == first)


def test_hidden_layers_that_are_unlocked_together_stay_locked_with_one_message(
    viewer, tmp_path, qtbot, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    open_two(viewer, tmp_path)
    first, second = active_patient(viewer).patients
    hidden = layers_of_patient(viewer.layers, first)
    assert len(hidden) == 4 and active_patient(viewer).current == second
    viewer.layers.selection = set(hidden)
    _toggle_lock(viewer.layers)
    qtbot.waitUntil(lambda: bool(warned))
    let_turns_pass(qtbot)
    assert all(layer.locked for layer in hidden) and len(warned) == 1
    assert " stay locked: they belong to " in warned[0]
    assert all(layer.name in warned[0] for layer in hidden)


def test_no_key_of_napari_shows_a_patient_while_none_is_active(viewer, tmp_path, qtbot):
    open_two(viewer, tmp_path)
    patients = active_patient(viewer)
    patients.leave()
    viewer.layers.toggle_selected_visibility()  # napari's V
    _duplicate_layer(viewer.layers)
    let_turns_pass(qtbot)
    assert patients.current is None and visible(viewer) == set()


def test_questions_name_the_patient_that_labels_have_joined(
    viewer, tmp_path, monkeypatch, messages
):
    open_two(viewer, tmp_path)
    second = active_patient(viewer).current
    images = case_of(active_patient(viewer).layers[0])
    joined = Case("case", {}, images.grid, folder=tmp_path / "masks")
    show_masks(viewer, joined, 1)
    for layer in [x for x in viewer.layers if region_of(x) is not None]:
        active_patient(viewer).adopt([layer], second)
    viewer.layers["case (second) ET"].visible = False
    titles: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: titles.append(text) or True)
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda p, t, *a, **o: titles.append(t) or ("", "")
    )
    ask_and_export(viewer, None, per_region=False)
    assert len(titles) == 2 and all("case (second)" in title for title in titles)
    assert case_title(viewer, joined) == "case (second)"


def test_deleting_all_layers_of_a_patient_leaves_one_layer_of_the_next_selected(
    viewer, tmp_path, qtbot
):
    """Delete, pressed again, would delete a second patient."""
    first, _ = open_two(viewer, tmp_path)
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    assert active_patient(viewer).current == first
    qtbot.waitUntil(lambda: len(viewer.layers.selection) == 1)
    assert viewer.layers.selection.active.name.endswith("T1CE")
