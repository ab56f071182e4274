"""Closing a window asks once, if something would be lost or cancelled, and names it."""

from __future__ import annotations

import threading
from functools import wraps

import nibabel as nib
import numpy as np
import pytest
from event_loop import let_turns_pass
from napari._qt import qt_main_window
from napari.layers import Layer
from napari_cases import write_case_along
from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Cancelled
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import notify, progress_worker, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.closing.unsaved_work import (
    can_be_saved,
    what_is_unsaved,
    what_is_unsaved_of_closed,
)
from napari_smalltumor.export import save
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.workers import run_in_thread


class Answers:
    """Answers questions of the plugin and of napari, and lists both."""

    def __init__(self) -> None:
        self.next: list[str] = []
        self.asked: list[str] = []
        self.buttons: list[tuple[str, ...]] = []
        self.napari: list[str] = []

    def ask(self, parent, title, text, *answers, harmless):
        assert harmless == questions.CANCEL
        self.asked.append(text)
        self.buttons.append(answers)
        return self.next.pop(0)


@pytest.fixture
def answers(monkeypatch) -> Answers:
    answers = Answers()

    class NapariQuestion:
        def __init__(self, window, *arguments, extra_info="", **options):
            answers.napari.append(extra_info)

        def exec_(self):
            return qt_main_window.QDialog.Rejected

    monkeypatch.setattr(questions, "ask", answers.ask)
    monkeypatch.setattr(qt_main_window, "ConfirmCloseDialog", NapariQuestion)
    return answers


@pytest.fixture
def errors(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    return shown


def segmented(viewer, folder) -> dict[Region, object]:
    """Open a case with a result of a network."""
    return segment(viewer, case_of(open_case(viewer, write_case_along(folder, labels=False))[0]))


def segment(viewer, case) -> dict[Region, object]:
    """Show the result of a network, which is the same each time."""
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2:5, 2:5, 2:5] = 3
    return show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))


def edited_names(viewer) -> list[str]:
    """ET, TC and WT, as far as they are edited."""
    edited = ensure_autosave(viewer).autosave.edited(viewer.layers)
    return [r.name for r in Region if any(name.endswith(r.name) for name in edited)]


class CloseByUser(QCloseEvent):
    """The event of the button of a window; Qt does not let a program send one."""

    def spontaneous(self) -> bool:
        return True


def click_close(viewer, qtbot) -> None:
    """Close a window as its button does."""
    window, event = viewer.window._qt_window, CloseByUser()
    QApplication.sendEvent(window, event)
    if event.isAccepted():
        window.hide()
    let_turns_pass(qtbot)


@pytest.fixture
def open_viewer(make_napari_viewer):
    """Function that opens a window, which is closed but not deleted by a test."""

    def make():
        viewer = make_napari_viewer(show=True)
        viewer.window._qt_window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        return viewer

    return make


def is_open(viewer) -> bool:
    return viewer.window._qt_window.isVisible()


def test_an_unsaved_result_is_asked_about_once_by_the_name_of_its_patient(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    answers.next += [questions.CANCEL, "Close without saving"]
    click_close(viewer, qtbot)
    assert is_open(viewer)
    click_close(viewer, qtbot)
    assert not is_open(viewer)
    assert answers.asked == 2 * ["ET, TC, WT of Anna were segmented, not saved, and will be lost."]
    assert answers.buttons[0] == ("Save", "Close without saving", questions.CANCEL)
    assert answers.napari == []
    assert not (tmp_path / "Anna" / "Anna_smalltumor.nii.gz").exists()


@pytest.mark.parametrize("autosave", [True, False])
def test_edits_of_every_patient_are_named_and_saved(
    open_viewer, answers, tmp_path, qtbot, autosave
):
    settings.put("autosave", autosave)
    viewer = open_viewer()
    for name in ("Anna", "Bert"):
        segmented(viewer, tmp_path / name)[Region.ET].paint((9, 10, 11), 1)
    answers.next.append("Save all")
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert "Edits of Anna were not saved" in text and "Edits of Bert were not saved" in text
    assert ("restore" in text) == autosave and ("lost" in text) != autosave
    assert not is_open(viewer) and answers.napari == []
    for name in ("Anna", "Bert"):
        stored = nib.load(tmp_path / name / f"{name}_smalltumor.nii.gz").get_fdata()
        assert np.count_nonzero(stored) > 27


@pytest.mark.parametrize("autosave", [True, False])
def test_a_result_that_is_autosaved_with_the_edits_of_another_region_is_not_called_lost(
    open_viewer, answers, tmp_path, qtbot, autosave
):
    settings.put("autosave", autosave)
    viewer = open_viewer()
    tc = segmented(viewer, tmp_path / "Anna")[Region.TC]
    tc.data_setitem(tuple(np.argwhere(tc.data == 0)[:1].T), 1)
    unedited = [r.name for r in Region if r.name not in edited_names(viewer)]
    answers.next.append(questions.CANCEL)
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert "ET" in unedited
    kept = f"You can restore them, with {' and '.join(unedited)}, when you open the same files"
    assert (kept in text) == autosave and ("lost" in text) != autosave


def test_a_result_beside_edits_of_an_experts_mask_only_is_called_lost(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    case = case_of(viewer.layers[0])
    volume = np.zeros(case.grid.shape, np.uint8)
    expert = viewer.add_layer(
        Layer.create(*labels_layer(case, volume, SCHEMES["brats2018"], "drawn"))
    )
    expert.paint((1, 1, 1), 1)
    answers.next.append(questions.CANCEL)
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert "ET, TC, WT of Anna were segmented, not saved, and will be lost." in text
    assert "You can restore them when" in text and "Save Selected" not in text


def test_a_stroke_just_before_closing_is_saved(open_viewer, answers, tmp_path, qtbot):
    viewer = open_viewer()
    et = segmented(viewer, tmp_path / "Anna")[Region.ET]
    (path,) = save.save(viewer, None)
    before = np.count_nonzero(nib.load(path).get_fdata())
    assert save_state(viewer).is_saved
    et.data_setitem(tuple(np.argwhere(et.data == 0)[:1].T), 1)
    answers.next.append("Save")
    click_close(viewer, qtbot)
    assert len(answers.asked) == 1
    assert np.count_nonzero(nib.load(path).get_fdata()) > before


@pytest.mark.parametrize("is_named", [True, False])
def test_save_all_saves_edits_of_an_experts_mask_too(
    open_viewer, answers, errors, tmp_path, qtbot, monkeypatch, is_named
):
    """Into a file that the user names; the window stays open if no file is named."""
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    open_case(viewer, write_case_along(tmp_path / "Bert"))
    viewer.layers["Bert labels"].paint((1, 1, 1), 1)

    def choose(parent, title, start, *filters, **options):
        return start if is_named else "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    answers.next.append("Save all")
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert "Edits of Bert were not saved: Bert labels." in text
    assert (tmp_path / "Anna" / "Anna_smalltumor.nii.gz").is_file()
    assert (tmp_path / "Bert" / "Bert_labels_edited.nii.gz").is_file() == is_named
    let_turns_pass(qtbot)
    assert is_open(viewer) != is_named
    assert errors == (
        [] if is_named else ["Bert labels of Bert was not saved, so the window stays open."]
    )


def test_a_window_stays_open_if_a_patient_could_not_be_saved(
    open_viewer, answers, errors, tmp_path, qtbot, monkeypatch
):
    viewer = open_viewer()
    for name in ("Anna", "Bert"):
        segmented(viewer, tmp_path / name)
    (tmp_path / "Anna" / "Anna_smalltumor.nii.gz").write_bytes(b"precious")
    monkeypatch.setattr(save, "confirm_replacing_files", lambda *arguments: False)
    answers.next.append("Save all")
    click_close(viewer, qtbot)
    assert is_open(viewer)
    assert errors == ["Anna was not saved, so the window stays open."]


def test_saved_masks_are_not_asked_about(open_viewer, answers, tmp_path, qtbot):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    assert save.save(viewer, None)
    click_close(viewer, qtbot)
    assert answers.asked == [] and answers.napari == [""]
    assert is_open(viewer)  # napari's own question was answered with Cancel


@pytest.mark.parametrize("is_reopened", [False, True])
def test_a_result_that_equals_the_saved_masks_is_not_asked_about(
    open_viewer, answers, tmp_path, is_reopened
):
    viewer = open_viewer()
    case = case_of(segmented(viewer, tmp_path / "Anna")[Region.ET])
    (path,) = save.save(viewer, None)
    if is_reopened:
        viewer.layers.clear()
        case = case_of(open_case(viewer, path.parent)[0])
    assert save_state(viewer).is_saved
    segment(viewer, case)
    assert save_state(viewer).is_saved
    active = active_patient(viewer)
    anna = active.current
    assert not can_be_saved(viewer, anna) and what_is_unsaved(viewer, anna) == []
    segmented(viewer, tmp_path / "Ben")  # is the active one
    assert what_is_unsaved(viewer, anna) == [] != what_is_unsaved(viewer, active.current)
    assert close_patient(viewer, anna) and answers.asked == []


def test_a_result_that_equals_masks_whose_file_was_deleted_is_asked_about(
    open_viewer, answers, tmp_path
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    (path,) = save.save(viewer, None)
    viewer.layers.clear()
    case = case_of(open_case(viewer, path.parent)[0])
    assert save_state(viewer).is_saved
    segment(viewer, case)
    path.unlink()
    anna = active_patient(viewer).current
    assert can_be_saved(viewer, anna)
    (text,) = what_is_unsaved(viewer, anna)
    assert text == "ET, TC, WT of Anna were segmented, not saved, and will be lost."


def test_masks_whose_file_another_window_has_replaced_are_asked_about(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    (path,) = save.save(viewer, None)
    assert save_state(viewer).is_saved
    path.write_bytes(b"of another window")
    seen: list[bool] = []
    save_state(viewer).changed.connect(lambda: seen.append(save_state(viewer).is_saved))
    QApplication.instance().focusWindowChanged.emit(viewer.window._qt_window.windowHandle())
    assert seen == [False]
    answers.next.append(questions.CANCEL)
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert text.startswith("The masks of Anna were saved, but the file was changed or deleted")
    assert answers.buttons[0][0] == "Save" and is_open(viewer)


def test_quitting_asks_once_about_all_windows(open_viewer, answers, tmp_path, monkeypatch):
    quits = []
    monkeypatch.setattr(qt_main_window, "quit_app_", lambda: quits.append(True))
    viewers = [open_viewer() for _ in range(2)]
    for viewer, name in zip(viewers, ("Anna", "Bert"), strict=True):
        segmented(viewer, tmp_path / name)
    window = viewers[1].window._qt_window
    answers.next += [questions.CANCEL, "Close without saving"]
    window.close(quit_app=True, confirm_need=True)
    assert is_open(viewers[1]) and quits == []
    window.close(quit_app=True, confirm_need=True)
    assert quits == [True] and not is_open(viewers[1])
    assert len(answers.asked) == 2 and answers.napari == []
    assert "Anna" in answers.asked[0] and "Bert" in answers.asked[0]


def test_a_script_that_closes_a_viewer_is_not_asked(open_viewer, answers, tmp_path):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    viewer.close()
    assert answers.asked == [] and answers.napari == []


@pytest.fixture
def may_end():
    event = threading.Event()
    yield event
    event.set()


def test_a_job_that_would_be_cancelled_is_named_and_a_short_one_is_not(
    open_viewer, answers, tmp_path, qtbot, may_end
):
    viewer = open_viewer()
    open_case(viewer, write_case_along(tmp_path / "Anna", labels=False))
    window = viewer.window._qt_window

    def job(progress, cancelled):
        while not may_end.wait(0.01):
            if cancelled():
                raise Cancelled("cancelled")

    run_in_thread(may_end.wait, window, print, print, name="search for lesions")
    click_close(viewer, qtbot)
    assert answers.asked == [] and answers.napari == [""]  # no task is named
    worker = progress_worker.start(job, "preparation of Anna", owner=window)
    qtbot.waitUntil(lambda: worker.is_running)
    answers.next += [questions.CANCEL, "Close"]
    click_close(viewer, qtbot)
    assert is_open(viewer)
    click_close(viewer, qtbot)
    assert answers.asked == ["Closing cancels the preparation of Anna."] * 2
    assert answers.buttons == [("Close", questions.CANCEL)] * 2
    assert not is_open(viewer) and answers.napari == [""]
    worker.quit()
    may_end.set()
    qtbot.waitUntil(lambda: not worker.is_running)


def test_tasks_of_other_plugins_are_named_in_the_one_question(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    viewer.window._register_task_status("other", "busy", "a task")
    answers.next += [questions.CANCEL, "Close without saving"]
    click_close(viewer, qtbot)
    assert is_open(viewer)
    click_close(viewer, qtbot)
    assert len(answers.asked) == 2 and answers.napari == []
    assert "Closing cancels tasks of other plugins (other: a task)." in answers.asked[0]
    assert not is_open(viewer)


def test_quitting_in_a_window_without_patients_names_those_of_other_windows(
    open_viewer, answers, tmp_path, monkeypatch
):
    quits = []
    monkeypatch.setattr(qt_main_window, "quit_app_", lambda: quits.append(True))
    first, other = open_viewer(), open_viewer()
    segmented(first, tmp_path / "Anna")
    other.add_image(np.zeros((4, 4)))
    window = other.window._qt_window
    answers.next += [questions.CANCEL, "Close without saving"]
    window.close(quit_app=True, confirm_need=True)
    assert is_open(other) and quits == []
    window.close(quit_app=True, confirm_need=True)
    assert quits == [True] and not is_open(other)
    assert len(answers.asked) == 2 and "Anna" in answers.asked[0] and answers.napari == []


def test_closing_a_window_without_patients_asks_nothing_of_other_windows(
    open_viewer, answers, tmp_path
):
    first, other = open_viewer(), open_viewer()
    segmented(first, tmp_path / "Anna")
    other.add_image(np.zeros((4, 4)))
    other.window._qt_window.close(confirm_need=True)
    assert answers.asked == [] and answers.napari == [""]
    assert is_open(first)


def test_the_question_is_asked_if_another_plugin_has_wrapped_what_closes_a_window(
    open_viewer, answers, tmp_path, monkeypatch
):
    window_class = qt_main_window._QtMainWindow
    close = window_class.close

    @wraps(close)
    def wrapped(window, *arguments, **options):
        return close(window, *arguments, **options)

    monkeypatch.setattr(window_class, "close", wrapped)
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    answers.next.append(questions.CANCEL)
    viewer.window._qt_window.close(confirm_need=True)
    assert len(answers.asked) == 1 and is_open(viewer)


def test_a_result_of_a_patient_whose_layers_were_all_removed_is_named(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    segmented(viewer, tmp_path / "Anna")
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    answers.next.append(questions.CANCEL)
    click_close(viewer, qtbot)
    (text,) = answers.asked
    assert text.startswith("ET, TC, WT of Anna were not saved and will be lost; click Open Anna")
    assert is_open(viewer)


def test_a_saved_result_of_a_patient_whose_layers_were_all_removed_is_not_named(
    open_viewer, tmp_path
):
    viewer = open_viewer()
    case = case_of(segmented(viewer, tmp_path / "Anna")[Region.ET])
    assert save.save(viewer, None)
    segment(viewer, case)
    viewer.layers.clear()
    assert what_is_unsaved_of_closed(viewer) == []


def test_of_a_patient_whose_layers_were_all_removed_what_was_autosaved_is_not_called_lost(
    open_viewer, answers, tmp_path, qtbot
):
    viewer = open_viewer()
    tc = segmented(viewer, tmp_path / "Anna")[Region.TC]
    tc.data_setitem(tuple(np.argwhere(tc.data == 0)[:1].T), 1)
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    click_close(viewer, qtbot)
    assert answers.asked == [] and not is_open(viewer)


def test_a_stroke_that_goes_on_is_ended_before_the_question(
    open_viewer, answers, tmp_path, qtbot, monkeypatch
):
    from napari_smalltumor.closing import close_window

    viewer = open_viewer()
    regions = segmented(viewer, tmp_path / "Anna")
    ended = []
    monkeypatch.setattr(
        close_window, "end_stroke", lambda layer: ended.append((layer, answers.asked[:]))
    )
    answers.next.append(questions.CANCEL)
    click_close(viewer, qtbot)
    assert ended == [(regions[Region.ET], [])]
