"""The user is asked about edits in a renamed folder if it has the same voxels, and only then."""

from __future__ import annotations

import os
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from edit_sessions import Session, User, write_patient
from smalltumor.data.read_case import read_case

from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.autosave.restore_question import DISCARD, LATER, RESTORE, TAKE_OVER
from napari_smalltumor.case_data import moved_cases
from napari_smalltumor.case_data.records import record_correction
from napari_smalltumor.lesions.decisions.verdicts import Verdict, decide, is_rejected
from napari_smalltumor.lesions.review.review import LesionReview


@pytest.fixture
def user(monkeypatch) -> User:
    return User(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    return write_patient(tmp_path / "Pat")


def test_the_question_about_edits_of_a_renamed_folder_names_both_folders(folder, user):
    Session(folder).segment().paint().crash()
    new = folder.rename(folder.with_name("Pat done"))
    user.answers = [LATER, RESTORE]
    assert not Session(new).is_painted
    restored = Session(new)
    assert len(user.asked) == 2
    assert str(folder) in user.asked[1] and str(new) in user.asked[1]
    assert restored.is_painted
    (saved,) = restored.edits
    assert saved.parent == restored.watcher.autosave.folder.path
    restored.crash()
    user.answers = [RESTORE]
    assert Session(new).is_painted
    assert str(folder) not in user.asked[-1]


def test_the_user_is_asked_when_the_file_names_change_with_the_folder(tmp_path, user):
    old = write_patient(tmp_path / "Pat")
    Session(old).segment().paint().crash()
    new = old.rename(tmp_path / "Case-7")
    for file in new.iterdir():
        file.rename(new / file.name.replace("Pat", "Case-7"))
    user.answers = [RESTORE]
    restored = Session(new)
    assert restored.is_painted
    assert restored.et.name == "Case-7 ET"


def test_discarded_edits_of_a_renamed_folder_are_deleted(folder, user):
    Session(folder).segment().paint().crash()
    user.answers = [DISCARD]
    assert Session(folder.rename(folder.with_name("new"))).edits == []


def test_edits_of_other_voxels_in_a_folder_of_the_same_name_cannot_be_restored(tmp_path, user):
    first = write_patient(tmp_path / "Pat")
    Session(first).segment().paint().review().crash()
    first.rename(tmp_path / "elsewhere")
    second = Session(write_patient(first, times=2))
    assert user.asked == []
    assert [f"in {first} are kept" in text for text in user.messages] == [True]
    assert not is_rejected(second.segment().et, second.candidate)
    second.crash()
    user.answers = [RESTORE]
    assert Session(tmp_path / "elsewhere").is_painted
    assert len(user.asked) == 1


def test_edits_of_other_voxels_at_another_place_cannot_be_restored(tmp_path, user):
    first = write_patient(tmp_path / "a" / "Pat")
    Session(first).segment().paint().review().crash()
    first.rename(tmp_path / "not opened")
    Session(write_patient(tmp_path / "b" / "Pat", times=2))
    assert user.asked == []
    assert [str(first) in text for text in user.messages] == [True]


@pytest.mark.parametrize("moved", ["shape", "affine"])
def test_the_same_voxels_on_another_grid_are_other_images(folder, user, moved):
    Session(folder).segment().paint().review().crash()
    new = folder.rename(folder.with_name("new"))
    for file in new.iterdir():
        image = nib.load(file)
        data, affine = np.asarray(image.dataobj), image.affine.copy()
        if moved == "affine":
            affine[0] *= -1
        else:  # the same bytes in their order
            data = data.reshape(data.shape[0] * 2, data.shape[1] // 2, data.shape[2], order="F")
        nib.save(nib.Nifti1Image(data, affine), file)
    Session(new)
    assert user.asked == []


def test_edits_of_the_original_of_a_copy_cannot_be_restored_in_the_copy(tmp_path, user):
    first, second = write_patient(tmp_path / "a" / "Pat"), write_patient(tmp_path / "b" / "Pat")
    Session(first).segment().paint().review().crash()
    Session(second)
    assert user.asked == []
    (first / "Pat_t1ce.nii.gz").unlink()
    Session(second)
    assert len(user.asked) == 1


def test_a_message_names_edits_of_an_original_that_cannot_be_read(tmp_path, user):
    first, second = write_patient(tmp_path / "a" / "Pat"), write_patient(tmp_path / "b" / "Pat")
    Session(first).segment().paint().crash()
    (first / "Pat_t1ce.nii.gz").write_bytes(b"damaged")
    Session(second)
    assert user.asked == []
    assert [f"in {first}, which cannot be read" in text for text in user.messages] == [True]
    (first / "Pat_t1ce.nii.gz").unlink()
    Session(second)
    assert len(user.asked) == 1


def test_edits_of_a_case_that_is_open_elsewhere_cannot_be_restored(folder, user):
    session = Session(folder).segment().paint()
    session.watcher.save_now()
    session.watcher.autosave.wait()
    Session(folder.rename(folder.with_name("new")))
    assert user.asked == []


def test_edits_that_were_closed_in_this_window_can_be_restored_after_a_renaming(folder, user):
    session = Session(folder).segment().paint()
    session.viewer.layers.clear()
    session.watcher.autosave.wait()
    user.answers = [RESTORE]
    again = Session(folder.rename(folder.with_name("new")), session.viewer)
    assert again.is_painted and len(again.edits) == 1


def test_decisions_and_times_of_exports_come_with_the_edits(folder, user):
    session = Session(folder).segment().review()
    session.watcher.autosave.mark_exported([session.et])
    session.paint().crash()
    for file in session.edits:
        os.utime(file, (file.stat().st_mtime - 60,) * 2)
    user.answers = [RESTORE]
    restored = Session(folder.rename(folder.with_name("new")))
    assert "older than the last export of Pat ET" in user.asked[0]
    assert restored.is_painted and restored.is_reviewed
    assert "et" in export_times(restored.case)


def test_decisions_without_edits_are_asked_about_and_shown_at_once(folder, user):
    Session(folder).segment().review().crash()
    new = folder.rename(folder.with_name("new"))
    again = Session(new).segment()
    assert len(user.asked) == 1 and str(folder) in user.asked[0] and str(new) in user.asked[0]
    assert not again.is_reviewed
    review = LesionReview(again.viewer)
    review.set_candidates([again.candidate])
    user.answers = [TAKE_OVER]
    again.watcher.restore_question.ask(again.case)
    assert again.is_reviewed and review.candidates == []
    again.watcher.restore_question.ask(again.case)
    assert len(user.asked) == 2


def test_decisions_follow_a_folder_that_gets_its_first_name_again(folder, user):
    Session(folder).segment().review().crash()
    new = folder.rename(folder.with_name("new"))
    user.answers = [TAKE_OVER, TAKE_OVER]
    session = Session(new).segment()
    assert session.is_reviewed
    other = replace(session.candidate, centroid_ras_mm=(0.0, 0.0, 0.0))
    decide(session.et, Verdict.REJECTED, [other])
    again = Session(new.rename(folder)).segment()
    assert again.is_reviewed and is_rejected(again.et, other)


def test_what_was_not_taken_over_when_the_program_ended_is_asked_about_again(
    folder, user, monkeypatch
):
    Session(folder).segment().review().crash()
    new = folder.rename(folder.with_name("new"))
    user.answers = [TAKE_OVER, TAKE_OVER]
    move = moved_cases._move

    def killed(before, now):
        move(before, now)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(moved_cases, "_move", killed)
        Session(new)
    assert Session(new).segment().is_reviewed


def test_decisions_that_were_made_since_are_not_replaced(folder, user):
    Session(folder).segment().review().paint().crash()
    new = folder.rename(folder.with_name("new"))
    again = Session(new).segment()
    decide(again.et, Verdict.ADDED, [again.candidate])
    user.answers = [RESTORE]
    again.watcher.restore_question.ask(again.case)
    assert again.is_painted and not is_rejected(again.et, again.candidate)


def test_edits_of_a_corrected_scan_follow_its_folder_too(folder, user):
    """The key is that of the images before, the record that of those of now."""
    session = Session(folder).segment().paint()
    session.watcher.save_now()
    session.watcher.autosave.wait()
    corrected = write_patient(folder.with_name("tmp") / "Pat", times=3)
    for file in corrected.iterdir():
        file.replace(folder / file.name)
    record_correction(session.case, read_case(folder))
    session.crash()
    user.answers = [RESTORE]
    assert Session(folder.rename(folder.with_name("new"))).is_painted
