"""A correction that ends when its dock shows another patient, or is cancelled or closed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError
from smalltumor.scanner.preparation.correction import Correction
from smalltumor.scanner.prepared.series_of_case import NotTheScanError
from smalltumor.scanner.prepared.stored_case import stored_case
from two_prepared_scans import activate, dock_of_a, known_prepared_scans, open_prepared

from napari_smalltumor import notify
from napari_smalltumor.patients.cases_in_use import use_case, use_of
from napari_smalltumor.prepared_scan import job as job_module
from napari_smalltumor.prepared_scan import whole_head
from napari_smalltumor.prepared_scan.scan_layers import scan_layers
from napari_smalltumor.scanner.known_scans import forget_scan, scan_of

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")


@pytest.fixture
def folders(tmp_path):
    with known_prepared_scans(tmp_path) as folders:
        yield folders


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch, folders):
    return open_prepared(make_napari_viewer(), folders, monkeypatch)


@pytest.fixture
def dock(viewer, qtbot):
    return dock_of_a(viewer, qtbot)


@pytest.fixture
def gate(monkeypatch):
    """Holds up the writing of a correction: (it has begun, it may go on)."""
    begun, may_go_on = threading.Event(), threading.Event()
    write = job_module.write_prepared

    def held_up(*arguments, **options):
        begun.set()
        assert may_go_on.wait(60)
        return write(*arguments, **options)

    monkeypatch.setattr(job_module, "write_prepared", held_up)
    yield begun, may_go_on
    may_go_on.set()


def hold_up_after_writing(monkeypatch):
    """Holds up a correction that is stored: (it is stored, it may return)."""
    stored, may_return = threading.Event(), threading.Event()
    write = job_module.write_prepared

    def held_up(*arguments, **options):
        written = write(*arguments, **options)
        stored.set()
        assert may_return.wait(60)
        return written

    monkeypatch.setattr(job_module, "write_prepared", held_up)
    return stored, may_return


def smaller(dock) -> Correction:
    brain = dock.prepared.brain.copy()
    brain[6:8] = False
    return Correction(brain=brain)


def brain_in(folder):
    return stored_case(read_case(folder)).brain


@pytest.mark.one_binding
def test_a_correction_that_is_cancelled_before_files_are_replaced_changes_nothing(
    dock, viewer, folders, gate, qtbot
):
    correction, before = smaller(dock), dock.prepared.brain
    dock.correct(correction)
    qtbot.waitUntil(gate[0].is_set)
    dock.cancel()
    gate[1].set()
    qtbot.waitUntil(lambda: not dock.busy)
    np.testing.assert_array_equal(brain_in(folders["A"]), before)
    assert dock.prepared.brain is before
    qtbot.waitUntil(lambda: use_of(viewer, dock.case) is None)


@pytest.mark.one_binding
def test_a_correction_that_is_stored_is_shown_though_it_is_cancelled(
    dock, folders, monkeypatch, qtbot
):
    stored, may_return = hold_up_after_writing(monkeypatch)
    correction, case = smaller(dock), dock.case
    dock.correct(correction)
    qtbot.waitUntil(stored.is_set)
    dock.cancel()
    may_return.set()
    qtbot.waitUntil(lambda: not dock.busy)
    np.testing.assert_array_equal(brain_in(folders["A"]), correction.brain)
    assert not np.any(case.volumes["t1ce"][~correction.brain])
    np.testing.assert_array_equal(dock.prepared.brain, correction.brain)


def test_a_correction_that_is_stored_is_shown_though_the_dock_is_closed(
    dock, viewer, monkeypatch, qtbot
):
    stored, may_return = hold_up_after_writing(monkeypatch)
    correction, case = smaller(dock), dock.case
    dock.correct(correction)
    qtbot.waitUntil(stored.is_set)
    viewer.window.remove_dock_widget(dock)
    dock.close()
    dock.deleteLater()
    with qtbot.waitSignal(dock.destroyed):
        pass
    may_return.set()
    qtbot.waitUntil(lambda: use_of(viewer, case) is None)
    assert not np.any(case.volumes["t1ce"][~correction.brain])


@pytest.mark.one_binding
def test_a_wrong_scan_of_one_patient_is_forgotten_and_not_that_of_the_other(
    dock, viewer, folders, monkeypatch, qtbot, errors
):
    may_fail = threading.Event()

    def wrong(*arguments):
        assert may_fail.wait(60)
        raise NotTheScanError("not the scan")

    monkeypatch.setattr(job_module, "series_in", wrong)
    dock.correct(smaller(dock))
    activate(viewer, dock, qtbot, "B")
    may_fail.set()
    qtbot.waitUntil(lambda: not dock.busy)
    assert errors == ["Not the scan"]
    assert scan_of(folders["A"]) is None and scan_of(folders["B"]) is not None


@pytest.mark.slow
def test_the_head_of_one_patient_is_shown_though_that_of_the_one_before_cannot_be_read(
    dock, viewer, monkeypatch, qtbot, errors
):
    gates, read = {"A": threading.Event(), "B": threading.Event()}, whole_head._read

    def read_or_fail(prepared, scan):
        assert gates[prepared.name].wait(60)
        if prepared.name == "A":
            raise CaseError("A cannot be read")
        return read(prepared, scan)

    monkeypatch.setattr(whole_head, "_read", read_or_fail)
    heads: list[str] = []
    monkeypatch.setattr(dock._head, "_add", lambda layers, head: heads.append(layers.case.name))
    dock.edit_button.click()
    activate(viewer, dock, qtbot, "B")
    dock.edit_button.click()
    gates["A"].set()
    qtbot.waitUntil(lambda: bool(errors))
    gates["B"].set()
    qtbot.waitUntil(lambda: bool(heads))
    assert heads == ["B"]


@pytest.mark.slow
@pytest.mark.one_binding
def test_a_folder_is_remembered_only_when_it_was_the_right_one(
    dock, folders, tmp_path, monkeypatch, qtbot, errors
):
    forget_scan(folders["A"])
    (tmp_path / "empty").mkdir()
    chosen = [tmp_path / "empty", tmp_path / "scan A"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *arguments: str(chosen.pop(0)))
    dock.correct(smaller(dock))
    assert scan_of(folders["A"]) is None
    qtbot.waitUntil(lambda: not dock.busy)
    assert len(errors) == 1 and scan_of(folders["A"]) is None
    dock.correct(smaller(dock))
    qtbot.waitUntil(lambda: not dock.busy)
    assert scan_of(folders["A"]) == tmp_path / "scan A"


@pytest.mark.slow
def test_a_result_of_one_patient_leaves_what_is_done_with_the_other(
    dock, viewer, gate, monkeypatch, qtbot
):
    infos = []
    monkeypatch.setattr(notify, "info", infos.append)
    case = dock.case
    correction = smaller(dock)
    dock.correct(correction)
    qtbot.waitUntil(gate[0].is_set)
    activate(viewer, dock, qtbot, "B")
    dock.registration.shift[0].setValue(3.0)
    gate[1].set()
    qtbot.waitUntil(lambda: not dock.busy)
    assert dock.registration.shift_mm == (3.0, 0.0, 0.0) and dock.prepared.name == "B"
    assert not np.any(case.volumes["t1ce"][~correction.brain])
    assert infos == ["The correction of A is stored. Segment it."]
    assert dock.step.text() == ""


@pytest.mark.slow
def test_a_case_is_not_corrected_while_it_is_segmented(dock, viewer, errors, qtbot):
    case = dock.case
    end = use_case(viewer, case, "segmented")
    dock.correct(smaller(dock))
    assert errors == ["A is being segmented. Correct it when that has ended."] and not dock.busy
    end()
    dock.correct(smaller(dock))
    assert dock.busy and use_of(viewer, case).name == "corrected"
    qtbot.waitUntil(lambda: not dock.busy and use_of(viewer, case) is None)


@pytest.mark.slow
def test_the_brush_is_not_taken_for_another_patient(
    dock, viewer, folders, tmp_path, monkeypatch, qtbot
):
    forget_scan(folders["A"])

    def other_patient(*arguments):
        activate(viewer, dock, qtbot, "B")
        return str(tmp_path / "scan A")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", other_patient)
    dock.edit_button.click()
    assert not dock.edit_button.isChecked() and not dock.busy
    assert scan_layers(viewer).brain.mode == "pan_zoom"
    assert all("whole head" not in layer.name for layer in viewer.layers)


@pytest.mark.one_binding
def test_registration_is_disabled_without_another_sequence(dock):
    dock.registration.show_sequences([])
    dock.set_running(True)
    dock.set_running(False)
    assert dock.edit_button.isEnabled() and not dock.registration.isEnabled()
