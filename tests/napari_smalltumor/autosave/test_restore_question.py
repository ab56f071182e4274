"""Edits that are restored are in one file."""

from __future__ import annotations

import os
import threading

import nibabel as nib
import numpy as np
import pytest
from edit_sessions import PAINTED, Session, User, write_patient
from napari.layers import Labels
from opened_case import raise_disk_full

from napari_smalltumor.autosave import case_file
from napari_smalltumor.autosave.restore_question import RESTORE
from napari_smalltumor.layers.metadata import checksum, region_layers

IN_SECOND_CUBE = (4, 6, 6)
"""A voxel, on the display, of a cube at 6, and of none at 4."""


@pytest.fixture
def user(monkeypatch) -> User:
    return User(monkeypatch)


def test_the_user_is_not_asked_again_about_restored_edits(tmp_path, user):
    folder = write_patient(tmp_path / "P1")
    first = Session(folder).segment().paint()
    edits = first.watcher.autosave
    edits.save()
    first.viewer.layers.clear()
    edits.wait()
    user.answers = [RESTORE]
    second = Session(folder, first.viewer)
    assert len(user.asked) == 1 and second.et.data[PAINTED] == 1
    second.et.data_setitem((np.array([7]),) * 3, 1)
    edits.save()
    edits.wait()
    assert list(edits.folder.root.glob("*/*.safetensors")) == [edits.folder.file_of(second.case)]


def test_the_question_calls_the_regions_et_tc_and_wt_whatever_their_layers_were_called(
    tmp_path, user
):
    session = Session(write_patient(tmp_path / "P1")).segment().paint()
    for number, layer in enumerate(region_layers(session.viewer.layers, session.case).values()):
        layer.name = f"a layer [{number}]"
    session.viewer.layers.clear()
    session.watcher.autosave.wait()
    Session(tmp_path / "P1", session.viewer)
    assert "were not saved: ET, TC, WT." in user.asked[0]


def test_labels_that_are_restored_with_regions_stay_hidden(tmp_path, user):
    """They have the same colours; volumes, Save and Export are of the regions alone."""
    session = Session(write_patient(tmp_path / "P1", labels=True))
    paint_labels(session, 2)
    session.segment().paint()
    session.viewer.layers.clear()
    session.watcher.autosave.wait()
    user.answers, user.messages[:] = [RESTORE], []
    restored = Session(tmp_path / "P1", session.viewer)
    assert "P1 labels: edits of a mask from a file" in user.asked[-1]
    visible = [x.name for x in restored.viewer.layers if isinstance(x, Labels) and x.visible]
    assert sorted(visible) == ["P1 ET", "P1 TC", "P1 WT"]
    assert user.messages[-1] == "Restored ET, TC, WT and P1 labels of P1. P1 labels is hidden."


def paint_labels(session: Session, first: int) -> None:
    """Paint over a cube of random labels, but for what is there already."""
    labels = session.labels
    cube = np.zeros(labels.data.shape, bool)
    cube[(slice(first, first + 3),) * 3] = True
    labels.data_setitem(np.nonzero(cube & (labels.data != 1)), 1)


def export_and_edit_labels(session: Session, first: int = 2) -> None:
    """Save the edited mask of a file as another file, paint on it again, and close the case."""
    paint_labels(session, first)
    session.watcher.autosave.mark_exported([session.labels])
    paint_labels(session, first + 1)
    session.viewer.layers.clear()
    session.watcher.autosave.wait()


def test_a_file_that_nobody_changed_is_not_said_to_have_changed_after_an_export(tmp_path, user):
    folder = write_patient(tmp_path / "P1", labels=True)
    first = Session(folder)
    export_and_edit_labels(first)
    user.answers = [RESTORE]
    second = Session(folder, first.viewer)
    export_and_edit_labels(second, 5)
    Session(folder, second.viewer)
    assert len(user.asked) == 2
    assert all("not saved: P1 labels" in text for text in user.asked)
    assert not any("made on another mask" in text for text in user.asked)


def test_a_file_that_was_changed_after_an_export_is_said_to_have_changed(tmp_path, user):
    folder = write_patient(tmp_path / "P1", labels=True)
    session = Session(folder)
    export_and_edit_labels(session)
    file = session.case.labels_path
    image = nib.load(file)
    changed = np.asarray(image.dataobj)[::-1]
    nib.save(nib.Nifti1Image(changed, None, image.header), file)
    Session(folder, session.viewer)
    assert "made on another mask: P1 labels changed since" in user.asked[0]


def test_edits_of_a_mask_that_is_not_open_are_remembered_as_made_on_it(tmp_path, user):
    folder = write_patient(tmp_path / "P1", labels=True)
    session = Session(folder)
    opened = checksum(session.labels.data)
    paint_labels(session, 2)
    session.viewer.layers.clear()
    session.watcher.autosave.wait()
    file = session.case.labels_path
    file.rename(tmp_path / file.name)
    user.answers = [RESTORE]
    again = Session(folder, session.viewer)
    assert checksum(again.labels.data) != opened
    assert again.watcher.autosave.baselines.opened_checksum(again.labels) == opened


def closed_with_edits(folder, first: int) -> Session:
    """A window in which a case was closed after a result with a cube at `first` was painted."""
    session = Session(folder).segment(first=first).paint()
    session.viewer.layers.clear()
    session.watcher.autosave.wait()
    return session


def test_restoring_edits_of_another_window_keeps_those_that_were_closed_in_this_one(tmp_path, user):
    folder = write_patient(tmp_path / "P1")
    here = closed_with_edits(folder, first=4)
    before = here.edits[0].read_bytes()
    other = closed_with_edits(folder, first=6)
    assert len(other.edits) == 2
    (later,) = set(other.edits) - {here.watcher.autosave.folder.file_of(here.case)}
    os.utime(later, (later.stat().st_mtime + 60,) * 2)
    user.answers = [RESTORE]
    again = Session(folder, here.viewer)
    assert again.et.data[IN_SECOND_CUBE] == 1
    assert not later.exists()
    assert before in [file.read_bytes() for file in again.edits]


def test_the_user_is_asked_about_edits_that_were_still_being_written(tmp_path, user, monkeypatch):
    folder = write_patient(tmp_path / "P1")
    session = Session(folder).segment().paint()
    proceed, write = threading.Event(), case_file.write_masks

    def write_late(*arguments):
        assert proceed.wait(60)
        write(*arguments)

    monkeypatch.setattr(case_file, "write_masks", write_late)
    session.viewer.layers.clear()
    threading.Timer(0.3, proceed.set).start()
    Session(folder, session.viewer)
    assert len(user.asked) == 1


def test_a_file_whose_edits_could_not_be_saved_again_is_kept(tmp_path, user, monkeypatch):
    folder = write_patient(tmp_path / "P1")
    session = Session(folder).segment().paint()
    session.watcher.save_now()  # this window has a file of the case already
    kept = closed_with_edits(folder, first=6).watcher.autosave.folder.file_of(session.case)
    user.answers = [RESTORE]
    monkeypatch.setattr(case_file, "write_masks", raise_disk_full)
    session.watcher.restore_question.ask(session.case)
    assert len(user.asked) == 1 and session.et.data[IN_SECOND_CUBE] == 1
    assert kept.exists()


def test_edits_that_are_restored_but_cannot_be_drawn_are_still_edits(tmp_path, user):
    session = Session(write_patient(tmp_path / "P1")).segment().paint()
    session.viewer.layers.clear()
    session.watcher.autosave.wait()

    def fail(event) -> None:
        if isinstance(event.value, Labels):
            raise ValueError("no memory on the card")

    session.viewer.layers.events.inserted.connect(fail, position="last")
    user.answers = [RESTORE]
    with pytest.raises(ValueError, match="no memory"):
        Session(tmp_path / "P1", session.viewer)
    regions = region_layers(session.viewer.layers, session.case)
    assert session.watcher.autosave.edited(regions.values()) == ["P1 WT", "P1 TC", "P1 ET"]
