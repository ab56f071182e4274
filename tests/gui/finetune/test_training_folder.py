"""Adding cases to a training folder while the viewer is in use, and what is autosaved then."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from event_loop import let_workers_end
from napari.components import ViewerModel
from napari.layers import Labels
from napari_cases import write_case_along
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.made_by import MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume, read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.training.data.dataset_folder import DatasetLister, DatasetListing, add_case
from training_cases import write_lesion_cases

from napari_smalltumor import questions
from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.finetune.cases import case_addition
from napari_smalltumor.finetune.cases.cases_page import CasesPage
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


class Opened:
    """An opened case, its autosave, and a *Cases* page with an empty training folder."""

    def __init__(self, scan: Path, folder: Path) -> None:
        self.viewer = ViewerModel()
        self.autosave = ensure_autosave(self.viewer).autosave
        open_case(self.viewer, scan)
        self.case = case_of(self.viewer.layers[0])
        self.window = QWidget()
        self.page = CasesPage()
        self.folder = TrainingFolder(self.viewer, self.page, self.window)
        self.folder.path = folder

    @property
    def autosave_file(self) -> Path:
        self.autosave.save()
        self.autosave.wait()
        return self.autosave.folder.file_of(self.case)

    def segment(self) -> Labels:
        """Show a segmentation of a single voxel of ET and return the layer of ET."""
        classes = np.zeros(self.case.grid.shape, np.uint8)
        classes[3, 3, 3] = TissueClass.ET
        show_segmentation(
            self.viewer, self.case, Segmentation(self.case.name, classes, self.case.grid)
        )
        return region_layers(self.viewer.layers, self.case)[Region.ET]

    def added(self) -> np.ndarray:
        """The tissue classes in the training folder."""
        classes, _ = read_labels(read_case(self.folder.path / self.case.name))
        return classes

    def recorded(self) -> MadeBy | None:
        """What the mask in the training folder records of what made it."""
        path = read_case(self.folder.path / self.case.name).labels_path
        return recorded_made_by(read_label_volume(path))


@pytest.fixture
def opened(qtbot, tmp_path, messages) -> Opened:
    opened = Opened(write_case_along(tmp_path / "Pat"), tmp_path / "training")
    qtbot.addWidget(opened.window)
    qtbot.addWidget(opened.page)
    return opened


@pytest.fixture
def slow_copy(monkeypatch):
    """Adding a case begins with waiting for this event."""
    may_copy = threading.Event()
    add_case = case_addition.add_case

    def add_later(*args, **kwargs):
        assert may_copy.wait(60)
        return add_case(*args, **kwargs)

    monkeypatch.setattr(case_addition, "add_case", add_later)
    yield may_copy
    may_copy.set()


def paint(layer: Labels, *voxel: int) -> None:
    layer.data_setitem(tuple(np.array([n]) for n in voxel), 1)


def usable(opened: Opened) -> int:
    """The number of usable cases in the line under the list; 0 if it is another line."""
    _, separator, rest = opened.page.text.partition(", ")
    return int(rest.split()[0]) if separator and "usable" in rest else 0


def wait_until_added(qtbot, opened: Opened) -> None:
    qtbot.waitUntil(lambda: not opened.folder.is_busy)


def test_strokes_painted_while_a_case_is_added_stay_autosaved(qtbot, opened, slow_copy):
    et = opened.segment()
    paint(et, 5, 5, 5)
    opened.folder.add(False)
    paint(et, 6, 5, 5)
    slow_copy.set()
    wait_until_added(qtbot, opened)
    assert np.count_nonzero(opened.added() == TissueClass.ET) == 2
    saved = {mask.region: mask for mask in read_masks(opened.autosave_file)}
    assert np.count_nonzero(saved[Region.ET].values) == 3


def test_regions_that_were_added_are_still_to_be_saved(qtbot, opened):
    """Beside the images they are found again; in the training folder nobody looks for them."""
    et = opened.segment()
    paint(et, 5, 5, 5)
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert opened.autosave_file.exists()
    assert et.name in opened.autosave.edited(opened.viewer.layers)


def test_masks_of_a_network_that_were_not_edited_are_added_with_a_warning(qtbot, opened, messages):
    case, run = opened.case, InferenceRun(1.0, "cpu", "torch", "net")
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[3, 3, 3] = TissueClass.ET
    show_segmentation(opened.viewer, case, Segmentation(case.name, classes, case.grid, run=run))
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert sum("as the network made them" in text for text in messages) == 1
    assert opened.recorded() == run.made_by
    paint(region_layers(opened.viewer.layers, case)[Region.ET], 5, 5, 5)
    qtbot.waitUntil(opened.page.add.isEnabled)  # the images are compared with those added before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "confirm", lambda *arguments: True)
        opened.folder.add(False)
    assert opened.folder.is_busy
    wait_until_added(qtbot, opened)
    assert sum("as the network made them" in text for text in messages) == 1
    assert opened.recorded() == run.made_by.edited


def test_replacing_corrected_masks_with_those_of_a_network_is_asked_with_what_is_lost(
    qtbot, opened, messages, monkeypatch
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *said: asked.append(said[2]) or True)
    paint(opened.segment(), 5, 5, 5)
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert asked == []
    qtbot.waitUntil(opened.page.add.isEnabled)
    case, run = opened.case, InferenceRun(1.0, "cpu", "torch", "net")
    classes = np.zeros(case.grid.shape, np.uint8)
    show_segmentation(opened.viewer, case, Segmentation(case.name, classes, case.grid, run=run))
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert "may hold corrections, which would be lost" in asked[0]
    assert any(text.startswith("The masks of Pat in ") for text in messages)
    assert not opened.added().any()


def test_masks_that_are_others_than_those_in_the_training_folder_are_named(qtbot, opened):
    et = opened.segment()
    paint(et, 5, 5, 5)
    assert opened.folder.other_masks() == []  # the case is not in the folder
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert opened.folder.other_masks() == []
    paint(et, 6, 5, 5)
    assert opened.folder.other_masks() == ["Pat"]
    opened.viewer.layers.clear()
    assert opened.folder.other_masks() == []


def test_adding_a_label_volume_removes_its_autosave(qtbot, opened):
    volume = opened.viewer.layers["Pat labels"]
    paint(volume, 5, 5, 5)
    assert opened.autosave_file.exists()
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert not opened.autosave_file.exists()


def test_edits_of_a_label_volume_under_regions_stay_autosaved(qtbot, opened):
    paint(opened.viewer.layers["Pat labels"], 5, 5, 5)
    paint(opened.segment(), 5, 5, 5)
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    saved = [mask.region for mask in read_masks(opened.autosave_file)]
    assert set(saved) == {None, *Region}


@pytest.mark.parametrize("edited", [False, True])
def test_a_label_volume_deleted_while_it_is_added_stays_autosaved_if_it_was_edited_since(
    qtbot, opened, slow_copy, edited
):
    volume = opened.viewer.layers["Pat labels"]
    paint(volume, 5, 5, 5)
    opened.folder.add(False)
    if edited:
        volume.data = np.zeros_like(volume.data)
    opened.viewer.layers.remove(volume)
    slow_copy.set()
    wait_until_added(qtbot, opened)
    assert opened.autosave_file.exists() == edited


def test_a_label_volume_closed_while_it_is_added_leaves_no_autosave(qtbot, opened, slow_copy):
    paint(opened.viewer.layers["Pat labels"], 5, 5, 5)
    opened.folder.add(False)
    opened.viewer.layers.clear()
    slow_copy.set()
    wait_until_added(qtbot, opened)
    assert opened.added().any()
    assert not opened.autosave_file.exists()


def test_a_case_is_added_and_its_autosave_removed_after_the_dock_was_closed(
    qtbot, opened, slow_copy
):
    paint(opened.viewer.layers["Pat labels"], 5, 5, 5)
    assert opened.autosave_file.exists()
    opened.folder.add(False)
    opened.folder.close()
    opened.folder.deleteLater()
    slow_copy.set()
    qtbot.waitUntil(lambda: not opened.autosave_file.exists())
    assert opened.added().any()


def test_an_unexpected_error_while_reading_is_shown_once(qtbot, opened, monkeypatch, messages):
    calls = []

    def fail(self, folder, **options):
        calls.append(folder)
        raise RuntimeError("unexpected")

    monkeypatch.setattr(DatasetLister, "list_cases", fail)
    messages.clear()
    opened.folder.show(opened.folder.path)
    qtbot.waitUntil(lambda: bool(messages))
    let_workers_end(qtbot)
    assert len(calls) == len(messages) == 1
    assert not opened.folder.is_busy


def test_a_case_without_its_et_layer_is_not_added(qtbot, opened, monkeypatch, messages):
    opened.viewer.layers.remove(opened.segment())
    monkeypatch.setattr(questions, "confirm", lambda *args: pytest.fail("asked"))
    messages.clear()
    opened.folder.add(False)
    assert "has no ET layer: a network would learn that there is no such tissue" in messages[0]
    assert not opened.folder.is_busy


class SlowLister:
    """Lists the folder *slow* until it is stopped, and any other at once."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    def __call__(self, folder, *, progress, cancelled):
        if folder.name != "slow":
            return DatasetListing([], f"{folder.name} was read")
        progress("1 of 1251: Pat")
        while not cancelled():
            time.sleep(0.01)
        self.stopped.append(folder.name)
        return DatasetListing([], "stopped: 1 of 1251 cases were read")


@pytest.fixture
def slow_lister(opened, monkeypatch, tmp_path):
    lister = SlowLister()
    monkeypatch.setattr(opened.folder.reader.lister, "list_cases", lister)
    opened.folder.show(tmp_path / "slow")
    return lister


def test_reading_a_folder_is_shown_and_can_be_stopped(qtbot, opened, slow_lister):
    qtbot.waitUntil(lambda: opened.page.text == "Reading 1 of 1251: Pat")
    assert not opened.page.stop.isHidden()
    opened.page.stop.click()
    qtbot.waitUntil(lambda: opened.page.text == "stopped: 1 of 1251 cases were read")
    assert opened.page.stop.isHidden() and not opened.folder.is_busy


def test_a_corrected_folder_is_read_at_once(qtbot, opened, slow_lister, tmp_path):
    qtbot.waitUntil(lambda: "1251" in opened.page.text)
    opened.page.folder_entered.emit(str(tmp_path / "corrected"))
    qtbot.waitUntil(lambda: opened.page.text == "corrected was read")
    qtbot.waitUntil(lambda: slow_lister.stopped == ["slow"])
    let_workers_end(qtbot)
    assert opened.page.text == "corrected was read"


@pytest.fixture
def listed(opened, monkeypatch) -> list[Path]:
    """A training folder of two cases that has been read, and the folders that are read."""
    write_lesion_cases(opened.folder.path, 2)
    os.utime(opened.folder.path, (1e9, 1e9))  # a change of a moment ago would be read once more
    read: list[Path] = []
    list_cases = opened.folder.reader.lister.list_cases

    def list_them(folder, **options):
        read.append(folder)
        return list_cases(folder, **options)

    monkeypatch.setattr(opened.folder.reader.lister, "list_cases", list_them)
    opened.folder.show(opened.folder.path)
    return read


def test_no_run_starts_that_would_fail_on_a_case_with_a_problem(qtbot, opened, listed):
    def problem_without(*names: str) -> str:
        for name in names:
            (opened.folder.path / name / f"{name}_t2.nii.gz").unlink()
        opened.folder.show(opened.folder.path)
        wait_until_added(qtbot, opened)
        return opened.folder.problem

    write_lesion_cases(opened.folder.path, 4)
    assert problem_without() == ""
    said = "cannot be trained on, as the list of cases says"
    assert problem_without("case_01") == f"case_01 {said}. Correct it, or move it out of training"
    assert problem_without("case_00", "case_03") == (
        f"case_00, case_01, case_03 {said}. Correct them, or move them out of training"
    )
    assert usable(opened) == 1
    assert problem_without("case_02") == "training has no case that can be trained on"


def test_cases_that_came_since_the_folder_was_read_are_noticed_once(qtbot, opened, listed):
    qtbot.waitUntil(lambda: usable(opened) == 2)
    assert not opened.folder.has_changed()
    write_lesion_cases(opened.folder.path, 3)
    assert opened.folder.has_changed()
    qtbot.waitUntil(lambda: usable(opened) == 3)
    os.utime(opened.folder.path, (1e9, 1e9))
    assert not opened.folder.has_changed()


def test_cases_without_a_folder_of_their_own_are_listed_too(qtbot, opened):
    data = write_lesion_cases(opened.folder.path.parent / "nested" / "site", 2)
    (data / "case_01").rename(data.parent / "case_01")
    with qtbot.waitSignal(opened.folder.cases_listed) as listed:
        opened.folder.show(data.parent)
    assert listed.args == [{"case_00": "", "case_01": str(data.parent / "case_01")}, {}]


def test_return_in_the_field_of_the_folder_reads_it_again(qtbot, opened, listed):
    qtbot.waitUntil(lambda: usable(opened) == 2)
    shutil.rmtree(opened.folder.path / "case_00")
    opened.page.folder.editingFinished.emit()  # as when the field loses the focus
    assert len(listed) == 1
    qtbot.keyClick(opened.page.folder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: usable(opened) == 1)
    assert len(listed) == 2
    other = write_lesion_cases(opened.folder.path.parent / "other", 2)
    opened.page.folder.setText(str(other))
    qtbot.keyClick(opened.page.folder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: usable(opened) == 2)
    assert listed == [opened.folder.path.with_name("training")] * 2 + [other]


def test_a_folder_that_was_changed_by_hand_is_read_again_when_the_window_is_used(
    qtbot, opened, listed
):
    qtbot.waitUntil(lambda: usable(opened) == 2)
    opened.folder.read_if_changed()
    assert len(listed) == 1
    shutil.rmtree(opened.folder.path / "case_00")
    opened.folder.read_if_changed()
    qtbot.waitUntil(lambda: usable(opened) == 1)
    shutil.rmtree(opened.folder.path)
    opened.folder.read_if_changed()
    qtbot.waitUntil(lambda: "does not exist" in opened.page.text)
    opened.folder.read_if_changed()
    assert len(listed) == 3


def test_closing_the_dock_stops_reading(qtbot, opened, slow_lister):
    opened.folder.close()
    qtbot.waitUntil(lambda: slow_lister.stopped == ["slow"])


def test_masks_are_replaced_only_after_a_question(qtbot, opened, monkeypatch):
    et = opened.segment()
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    paint(et, 5, 5, 5)
    answers = [False, True]
    monkeypatch.setattr(questions, "confirm", lambda *args: answers.pop(0))
    qtbot.waitUntil(opened.page.add.isEnabled)
    assert "Repl" in opened.page.add.text()
    opened.folder.add(False)
    assert np.count_nonzero(opened.added() == TissueClass.ET) == 1
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert np.count_nonzero(opened.added() == TissueClass.ET) == 2


def test_what_is_painted_while_a_question_is_open_stays_autosaved(qtbot, opened, monkeypatch):
    volume = opened.viewer.layers["Pat labels"]
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    background = np.argwhere(volume.data == 0)
    paint(volume, *background[0])
    added = np.count_nonzero(volume.data)

    def then_painted(*_) -> bool:
        paint(volume, *background[1])
        return True

    monkeypatch.setattr(questions, "confirm", then_painted)
    qtbot.waitUntil(opened.page.add.isEnabled)
    opened.folder.add(False)
    wait_until_added(qtbot, opened)
    assert np.count_nonzero(opened.added()) == added
    assert volume.name in opened.autosave.edited(opened.viewer.layers)
    assert opened.autosave_file.exists()


@pytest.fixture
def other_visit(opened, tmp_path) -> Case:
    """A case of the same name with other images, which is in the training folder."""
    read = read_case(write_case_along(tmp_path / "other" / "Pat"))
    brighter = {m: np.asarray(v) + 7 for m, v in read.volumes.items()}
    other = Case("Pat", brighter, read.grid, read.header)
    add_case(opened.folder.path, other, np.zeros(other.grid.shape, np.uint8))
    return other


def test_another_visit_of_the_same_name_is_added_beside_it(
    qtbot, opened, other_visit, monkeypatch, messages
):
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *args: not asked.append(args[2]))
    et = opened.segment()
    opened.folder.add(False)  # while the images are being compared
    said = opened.page.findChildren(QLabel)
    qtbot.waitUntil(lambda: any("holds other images" in label.text() for label in said))
    assert opened.page.add.text() == "&Add as Pat_visit2" and opened.page.add.isEnabled()
    assert not (opened.folder.path / "Pat_visit2").exists()
    opened.page.add.click()
    wait_until_added(qtbot, opened)
    assert messages[-1] == f"Pat was added to {opened.folder.path} as Pat_visit2"
    assert not asked
    qtbot.waitUntil(lambda: any("in the folder as Pat_visit2" in label.text() for label in said))
    paint(et, 5, 5, 5)
    assert opened.page.add.text() == "Repl&ace its masks"
    opened.page.add.click()
    wait_until_added(qtbot, opened)
    masks = {name: read_labels(read_case(opened.folder.path / name))[0] for name in _VISITS}
    assert [np.count_nonzero(masks[name]) for name in _VISITS] == [0, 2] and len(asked) == 1


_VISITS = ("Pat", "Pat_visit2")


def test_a_patient_of_the_same_name_is_activated_and_what_listens_later_follows(
    qtbot, opened, tmp_path
):
    add_case(opened.folder.path, opened.case, np.zeros(opened.case.grid.shape, np.uint8))
    opened.segment()
    said = opened.page.findChildren(QLabel)
    qtbot.waitUntil(lambda: any("already in the folder" in label.text() for label in said))
    patients = active_patient(opened.viewer)
    first, followed = patients.current, []
    patients.changed.connect(lambda: followed.append(patients.current))
    open_case(opened.viewer, write_case_along(tmp_path / "other" / "Pat"))
    second = next(p for p in patients.patients if p != first)
    assert second.name == first.name
    patients.activate(first)
    patients.activate(second)
    assert followed[-1] == patients.current == second


def test_a_folder_that_is_missing_or_unread_or_without_cases_is_named_as_the_problem(
    qtbot, opened, tmp_path
):
    folder = opened.folder
    folder.show(tmp_path / "missing")
    assert folder.problem == "missing is being read"
    wait_until_added(qtbot, opened)
    said = f"{tmp_path / 'missing'} does not exist; it is created when the first case is added"
    assert folder.problem == opened.page.text == said
    (tmp_path / "file").write_text("no folder")
    folder.show(tmp_path / "file")
    wait_until_added(qtbot, opened)
    assert folder.problem == opened.page.text == f"{tmp_path / 'file'} is not a folder"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").touch()
    folder.show(tmp_path / "empty")
    wait_until_added(qtbot, opened)
    assert folder.problem == opened.page.text == "No case yet: add the first one"
    (tmp_path / "empty" / "notes.txt").write_text("no case")
    folder.show(tmp_path / "empty")
    wait_until_added(qtbot, opened)
    assert folder.problem == "empty has no case that can be trained on"
    assert "holds no case" in opened.page.text
    folder.show(tmp_path / "training")
    wait_until_added(qtbot, opened)
    opened.segment()
    folder.add(False)
    qtbot.waitUntil(lambda: usable(opened) == 1)
    assert folder.problem == ""
