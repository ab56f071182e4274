"""Save writes the masks beside the images without a dialog, and the header says if they are."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import write_case_along
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.closing.close_patient import close_patient, reopen_closed
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.export.save import save
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.layers.masks.region_masks import other_images_of
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.viewer_setup import set_up

STARTER = MadeBy.network("starter", "c0ffee", "0.1.0")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The questions, which are answered with yes; a file dialog would be one, and is cancelled."""
    asked: list[str] = []
    for name in ("info", "error"):
        monkeypatch.setattr(notify, name, lambda text: None)
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text) or True)

    def cancel(*arguments, **options):
        asked.append(next(x for x in (*arguments, options.get("caption")) if isinstance(x, str)))
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", cancel)
    return asked


def segmented(viewer, folder: Path, value: int = 3, made_by=None) -> dict[Region, object]:
    """Open a case with a mask of one class, as of a network; its region layers."""
    case = case_of(open_case(viewer, write_case_along(folder, labels=False))[0])
    return show_result(viewer, case, value, made_by)


def show_result(viewer, case, value: int = 3, made_by=None) -> dict[Region, object]:
    classes = np.full(case.grid.shape, value, np.uint8)
    made_of = digests_of_images(case)
    result = Segmentation(case.name, classes, case.grid, made_of=made_of, made_by=made_by)
    return show_segmentation(viewer, case, result)


def paint(layer, value: int = 0) -> None:
    layer.data_setitem(tuple(np.array([2]) for _ in range(3)), value)


@pytest.mark.slow
def test_the_key_saves_three_regions_where_they_are_found_again(viewer, tmp_path, asked, qtbot):
    regions = segmented(viewer, tmp_path / "Pat")
    window = viewer.window._qt_window
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    viewer.layers.selection.active = regions[Region.TC]
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    path = tmp_path / "Pat" / "Pat_smalltumor.nii.gz"
    qtbot.waitUntil(path.exists)
    assert asked == []
    assert set(np.unique(nib.load(path).dataobj)) == {4}
    viewer.layers.clear()
    open_case(viewer, tmp_path / "Pat")
    reopened = region_layers(viewer.layers, case_of(viewer.layers[0]))
    assert set(reopened) == set(Region) and save_state(viewer).is_saved


def test_the_key_of_napari_is_left_to_windows_without_masks(viewer, tmp_path, asked, qtbot):
    open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    viewer.layers.selection.active = viewer.add_image(np.zeros((3, 3, 3)), name="of no case")
    window = viewer.window._qt_window
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: asked == ["Save selected layers"])


def test_the_own_file_is_replaced_without_a_question_and_any_other_with_one(
    viewer, tmp_path, asked
):
    regions = segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    paint(regions[Region.ET])
    assert save(viewer, None) == [path] and asked == []
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)
    assert save(viewer, None) == [path]
    (question,) = asked
    assert question.endswith("Replace it with the regions of Pat?")


@pytest.mark.parametrize("is_reopened", [False, True])
def test_a_new_result_does_not_replace_saved_corrections_without_a_question(
    viewer, tmp_path, asked, monkeypatch, is_reopened
):
    regions = segmented(viewer, tmp_path / "Pat", made_by=STARTER)
    (path,) = save(viewer, None)
    paint(regions[Region.ET])
    assert save(viewer, None) == [path] and asked == []
    corrected = path.read_bytes()
    if is_reopened:
        viewer.layers.clear()
        open_case(viewer, tmp_path / "Pat")
    show_result(viewer, case_of(viewer.layers[0]), made_by=STARTER)
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text))
    assert save(viewer, None) == [] and path.read_bytes() == corrected
    (question,) = asked
    assert "It may hold corrections, which would be lost" in question
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: True)
    assert save(viewer, None) == [path]
    show_result(viewer, case_of(viewer.layers[0]), value=2, made_by=STARTER)
    asked.clear()
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: asked.append(text))
    assert save(viewer, None) == [path] and asked == []  # one result replaces another


@pytest.mark.parametrize("is_corrected", [True, False])
def test_corrected_masks_are_not_replaced_by_a_new_result_without_a_question(
    viewer, tmp_path, asked, is_corrected
):
    regions = segmented(viewer, tmp_path / "Pat")
    case = case_of(regions[Region.ET])
    if is_corrected:
        paint(regions[Region.ET])
    (path,) = save(viewer, None)
    show_result(viewer, case, value=2)
    assert save(viewer, None) == [path]
    assert len(asked) == int(is_corrected)
    assert all("It may hold corrections" in question for question in asked)
    paint(regions[Region.ET], 1)
    assert save(viewer, None) == [path] and len(asked) == int(is_corrected)


def test_a_file_that_another_window_has_written_is_said_to_be_changed(viewer, tmp_path, asked):
    regions = segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    saved = path.read_bytes()
    viewer.layers.clear()
    open_case(viewer, tmp_path / "Pat")  # this window opens the file ...
    regions = region_layers(viewer.layers, case_of(viewer.layers[0]))
    paint(regions[Region.ET])
    path.write_bytes(saved + b"\0")  # ... and another one saves its own edits
    assert save(viewer, None) == [path]
    assert len(asked) == 1 and "written since this window opened or saved" in asked[0]
    paint(regions[Region.ET], 1)
    assert save(viewer, None) == [path] and len(asked) == 1


def test_a_file_of_an_earlier_day_is_not_said_to_be_changed(viewer, tmp_path, asked):
    segmented(viewer, tmp_path / "Pat")
    save(viewer, None)
    viewer.layers.clear()
    open_case(viewer, tmp_path / "Pat")
    paint(region_layers(viewer.layers, case_of(viewer.layers[0]))[Region.ET])
    save(viewer, None)
    assert len(asked) == 1 and "written since" not in asked[0]


def test_what_is_saved_under_the_question_is_not_lost(viewer, tmp_path, asked, monkeypatch):
    segmented(viewer, tmp_path / "Pat")
    path = tmp_path / "Pat" / "Pat_smalltumor.nii.gz"
    path.write_bytes(b"first")
    answers = [lambda: path.write_bytes(b"second reader") > 0, lambda: False]
    texts = []
    monkeypatch.setattr(
        questions, "confirm", lambda p, t, text, a: texts.append(text) or answers.pop(0)()
    )
    assert save(viewer, None) == [] and path.read_bytes() == b"second reader"
    assert len(texts) == 2 and "written since" in texts[1]


def test_regions_of_a_mask_of_other_images_are_asked_about_until_they_are_saved(
    viewer, tmp_path, asked
):
    segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    viewer.layers.clear()
    for image in (tmp_path / "Pat").glob("*_t*.nii.gz"):  # are another patient's now
        volume = nib.load(image)
        nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) * 2, volume.affine), image)
    case = case_of(open_case(viewer, tmp_path / "Pat")[0])
    assert not region_layers(viewer.layers, case)
    header = PatientHeader(viewer)
    assert header.warnings.isHidden()
    open_and_remember(viewer, path)
    assert "made of other images" in other_images_of(viewer.layers, case)
    assert f"⚠ {path.name} was made of other images" in header.warnings.text()
    assert not header.warnings.isHidden()
    assert header.save_button.text() == "Save" and header.save_button.isEnabled()
    paint(region_layers(viewer.layers, case)[Region.ET])
    assert save(viewer, None) == [path]
    assert "may be another patient's" in asked[0] and len(asked) == 2
    assert "other images" not in asked[1]
    assert other_images_of(viewer.layers, case) == "" and header.warnings.isHidden()


def test_an_unanswered_question_keeps_the_file(viewer, tmp_path, asked, monkeypatch):
    segmented(viewer, tmp_path / "Pat")
    path = tmp_path / "Pat" / "Pat_smalltumor.nii.gz"
    path.write_bytes(b"precious")
    monkeypatch.setattr(questions, "confirm", lambda *a: False)
    assert save(viewer, None) == [] and path.read_bytes() == b"precious"


def test_a_folder_that_cannot_be_written_to_asks_for_another_one(
    viewer, tmp_path, asked, monkeypatch
):
    segmented(viewer, tmp_path / "Pat")
    said: list[str] = []
    monkeypatch.setattr(notify, "warn", said.append)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert save(viewer, None) == [] and asked == ["Export a label file of Pat"]
    assert said == [f"Pat: {tmp_path / 'Pat'} cannot be written to. Choose another folder."]


def test_save_stays_beside_the_images_after_an_export_elsewhere(
    viewer, tmp_path, asked, monkeypatch
):
    segmented(viewer, tmp_path / "Pat")
    (tmp_path / "elsewhere").mkdir()
    chosen = str(tmp_path / "elsewhere" / "copy.nii.gz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (chosen, ""))
    ask_and_export(viewer, None, per_region=False)
    assert save(viewer, None) == [tmp_path / "Pat" / "Pat_smalltumor.nii.gz"] and asked == []


@pytest.mark.parametrize("saved_before", [False, True])
def test_masks_are_saved_by_an_export_with_which_the_case_opens_and_by_no_other(
    viewer, tmp_path, asked, monkeypatch, saved_before
):
    regions = segmented(viewer, tmp_path / "Pat")
    if saved_before:
        save(viewer, None)
        paint(regions[Region.ET])
    painted = np.array(regions[Region.ET].data)
    (tmp_path / "elsewhere").mkdir()
    for folder, per_region in (("elsewhere", False), ("Pat", True)):
        chosen = str(tmp_path / folder / "Pat_smalltumor.nii.gz")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, c=chosen, **k: (c, ""))
        assert ask_and_export(viewer, None, per_region=per_region)
        assert save_state(viewer).is_saved == (folder == "Pat")
    viewer.layers.clear()
    case = case_of(open_case(viewer, tmp_path / "Pat")[0])
    opened = region_layers(viewer.layers, case)
    assert np.array_equal(opened[Region.ET].data, painted)


def test_edits_of_a_mask_that_was_read_are_not_saved_by_an_export_elsewhere(
    viewer, tmp_path, asked, monkeypatch
):
    segmented(viewer, tmp_path / "Pat")
    save(viewer, None)
    viewer.layers.clear()
    open_case(viewer, tmp_path / "Pat")
    regions = region_layers(viewer.layers, case_of(viewer.layers[0]))
    assert save_state(viewer).is_saved
    paint(regions[Region.ET])
    chosen = str(tmp_path / "copy.nii.gz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (chosen, ""))
    assert ask_and_export(viewer, None, per_region=False)
    assert not save_state(viewer).is_saved


def test_a_file_that_appears_meanwhile_is_not_replaced(viewer, tmp_path, asked, monkeypatch):
    segmented(viewer, tmp_path / "Pat")
    path = tmp_path / "Pat" / "Pat_smalltumor.nii.gz"

    def other_program_writes(*arguments, **options):
        path.write_bytes(b"precious")
        return export_case(*arguments, **options)

    monkeypatch.setattr("napari_smalltumor.export.save.export_case", other_program_writes)
    assert save(viewer, None) == [] and path.read_bytes() == b"precious"


@pytest.mark.slow
def test_each_visit_is_saved_in_its_own_folder(viewer, tmp_path, asked):
    masks = {}
    for visit, value in (("visit1", 3), ("visit2", 2)):
        masks[visit] = segmented(viewer, tmp_path / visit / "P7", value)
    assert save(viewer, None) == [tmp_path / "visit2" / "P7" / "P7_smalltumor.nii.gz"]
    active_patient(viewer).activate(patient_of(masks["visit1"][Region.WT]))
    assert not save_state(viewer).is_saved
    assert save(viewer, None) == [tmp_path / "visit1" / "P7" / "P7_smalltumor.nii.gz"]
    for visit, value in (("visit1", 4), ("visit2", 2)):
        stored = nib.load(tmp_path / visit / "P7" / "P7_smalltumor.nii.gz").dataobj
        assert set(np.unique(stored)) == {value}
    assert asked == []


@pytest.mark.slow
def test_the_header_says_whether_the_masks_are_saved(viewer, tmp_path, asked, qtbot):
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    header.show()
    button = header.save_button
    assert button.isHidden()
    regions = segmented(viewer, tmp_path / "Pat")
    qtbot.waitUntil(lambda: not button.isHidden())
    assert button.text() == "Save" and button.isEnabled()
    button.click()
    assert button.text() == "✓ Saved" and not button.isEnabled()
    assert "Pat_smalltumor.nii.gz" in button.toolTip()
    paint(regions[Region.ET])
    qtbot.waitUntil(button.isEnabled)
    assert button.text() == "Save" and "have changed since" in button.toolTip()
    regions[Region.ET].undo()
    qtbot.waitUntil(lambda: not button.isEnabled())
    (tmp_path / "Pat" / "Pat_smalltumor.nii.gz").unlink()
    assert not save_state(viewer).is_saved
    segmented(viewer, tmp_path / "Other")
    assert button.text() == "Save" and "masks of Other" in button.toolTip()
    header.close()


@pytest.mark.slow
@pytest.mark.parametrize("from_the_top", [True, False])
def test_saved_masks_of_a_patient_that_is_opened_again_are_saved(
    viewer, tmp_path, asked, qtbot, from_the_top
):
    """Save then replaces the file that this window wrote, without a question."""
    set_up(viewer)
    regions = segmented(viewer, tmp_path / "Pat")
    written = save(viewer, None)
    patient = active_patient(viewer).current
    for layer in list(reversed(viewer.layers)) if from_the_top else list(viewer.layers):
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: bool(closed_patients(viewer).patients))
    reopen_closed(viewer, patient)
    assert save_state(viewer).is_saved
    paint(regions[Region.ET])
    assert save(viewer, None) == written and asked == []


def test_a_patient_that_is_opened_from_its_files_has_the_masks_of_these(viewer, tmp_path, asked):
    regions = segmented(viewer, tmp_path / "Pat")
    save(viewer, None)
    close_patient(viewer, active_patient(viewer).current)
    open_case(viewer, tmp_path / "Pat")
    state = save_state(viewer)
    assert state.is_saved and state.written is None
    assert regions[Region.ET] not in viewer.layers


@pytest.mark.slow
@pytest.mark.parametrize("is_read", [False, True])
def test_masks_whose_file_was_deleted_are_not_saved(viewer, tmp_path, asked, qtbot, is_read):
    """The button says so when the user comes back from the other program."""
    segmented(viewer, tmp_path / "Pat")
    (written,) = save(viewer, None)
    if is_read:
        close_patient(viewer, active_patient(viewer).current)
        open_case(viewer, tmp_path / "Pat")
    header = PatientHeader(viewer)
    qtbot.addWidget(header)
    assert header.save_button.text() == "✓ Saved"
    written.unlink()
    QApplication.instance().applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert header.save_button.text() == "Save" and header.save_button.isEnabled()
    assert save(viewer, None) == [written] and save_state(viewer).is_saved


@pytest.mark.slow
def test_masks_are_opened_when_a_folder_above_unnamed_images_was_renamed(
    viewer, tmp_path, asked, monkeypatch
):
    told: list[str] = []
    folder = write_case_along(tmp_path / "P1" / "pre", labels=False, name="x")
    for image in list(folder.iterdir()):
        image.rename(folder / image.name.removeprefix("x_"))
    case = case_of(open_case(viewer, folder)[0])
    classes = np.full(case.grid.shape, 3, np.uint8)
    made_of = digests_of_images(case)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, made_of=made_of))
    assert save(viewer, None) == [folder / "P1_pre_smalltumor.nii.gz"]
    viewer.layers.clear()
    (tmp_path / "P1").rename(tmp_path / "Patient1")
    monkeypatch.setattr(notify, "info", told.append)
    open_case(viewer, tmp_path / "Patient1" / "pre")
    assert set(region_layers(viewer.layers, case_of(viewer.layers[0]))) == set(Region)
    assert (
        "P1_pre_smalltumor.nii.gz was opened with the images of Patient1_pre, of which it was "
        "made. Their folder had another name when it was saved."
    ) in told


@pytest.mark.parametrize("is_read", [False, True])
def test_saved_masks_are_said_to_be_saved(viewer, tmp_path, asked, monkeypatch, is_read):
    segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    if is_read:
        viewer.layers.clear()
        open_case(viewer, tmp_path / "Pat")
    told: list[str] = []
    monkeypatch.setattr(notify, "info", told.append)
    assert save(viewer, None) == [] and asked == []
    assert told == ["Pat: Pat_smalltumor.nii.gz holds the regions as they are."]
    paint(region_layers(viewer.layers, case_of(viewer.layers[0]))[Region.ET])
    assert save(viewer, None) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("is_agreed", [False, True])
@pytest.mark.parametrize("doubt", ["drawing", "hidden"])
def test_what_saved_masks_leave_out_or_hide_is_asked_about(
    viewer, tmp_path, asked, monkeypatch, doubt, is_agreed
):
    regions = segmented(viewer, tmp_path / "Pat")
    save(viewer, None)
    if doubt == "drawing":
        whole = regions[Region.WT]
        drawn = viewer.add_labels(np.zeros_like(whole.data), name="mine", units=whole.units)
        drawn.scale, drawn.translate = whole.scale, whole.translate
        paint(drawn, 1)
    else:
        regions[Region.WT].visible = False
    told: list[str] = []
    monkeypatch.setattr(notify, "info", told.append)
    texts: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda p, t, text, a: texts.append(text) or is_agreed)
    assert save(viewer, None) == []
    (question,) = texts
    assert ("mine is not a region" if doubt == "drawing" else "WT is hidden") in question
    assert told == ["Pat: Pat_smalltumor.nii.gz holds the regions as they are."] * is_agreed


@pytest.mark.slow
def test_regions_without_the_one_that_was_removed_are_not_those_of_the_file(
    viewer, tmp_path, asked
):
    segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    viewer.layers.clear()
    open_case(viewer, tmp_path / "Pat")
    viewer.layers.remove("Pat ET")
    assert save(viewer, None) == [path] and "ET is missing" in asked[0]


@pytest.mark.slow
@pytest.mark.parametrize("is_read", [False, True])
def test_saved_masks_are_written_again_in_another_label_scheme(viewer, tmp_path, asked, is_read):
    segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    if is_read:
        viewer.layers.clear()
        open_case(viewer, tmp_path / "Pat")
    settings.put("scheme", "brats2023")
    assert save(viewer, None) == [path]
    assert set(np.unique(nib.load(path).dataobj)) == {3}


@pytest.mark.slow
def test_saved_masks_of_other_images_are_asked_about(viewer, tmp_path, asked):
    segmented(viewer, tmp_path / "Pat")
    (path,) = save(viewer, None)
    viewer.layers.clear()
    for image in (tmp_path / "Pat").glob("*_t*.nii.gz"):  # are another patient's now
        volume = nib.load(image)
        nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) * 2, volume.affine), image)
    case = case_of(open_case(viewer, tmp_path / "Pat")[0])
    open_and_remember(viewer, path)
    assert save(viewer, None) == [path]
    assert "may be another patient's" in asked[0] and other_images_of(viewer.layers, case) == ""
