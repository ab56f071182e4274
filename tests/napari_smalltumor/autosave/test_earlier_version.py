"""What an earlier version kept without a note of the images is told, or offered if certain."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from edit_sessions import Session, User, write_patient

from napari_smalltumor.autosave.offers import RESTORE


@pytest.fixture
def user(monkeypatch) -> User:
    return User(monkeypatch)


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_patient(tmp_path / "Pat")


def key_of_earlier_version(case) -> str:
    identity = {
        "name": case.name,
        "files": {"t1ce": os.path.realpath(case.paths["t1ce"])},
        "shape": case.grid.shape,
        "affine": np.round(case.grid.affine, 3).tolist(),
    }
    return sha256(json.dumps(identity).encode()).hexdigest()[:16]


def as_earlier_version(session: Session, data_folder: Path) -> None:
    """End a session, and give its files the names that the earlier version gave them."""
    session.crash()
    shutil.rmtree(data_folder / "cases")
    for file in [*data_folder.glob("*/Pat-*"), *data_folder.glob("autosave/*/Pat-*")]:
        file.rename(file.with_name(f"Pat-{key_of_earlier_version(session.case)}{file.suffix}"))


def test_it_is_told_once_with_its_folders_and_not_offered(folder, user, data_folder):
    as_earlier_version(Session(folder).segment().paint().review(), data_folder)
    (edits,) = data_folder.glob("autosave/*/*.safetensors")
    session = Session(folder)
    (text,) = user.told
    assert user.asked == []
    for place in (edits.parent, data_folder / "decisions", data_folder / "accepted"):
        assert str(place) in text
    session.crash()
    Session(folder)
    assert len(user.told) == 1 and edits.exists()


def test_nothing_is_told_of_a_case_of_which_nothing_was_kept(folder, user, data_folder):
    Session(folder)
    assert user.told == [] and not (data_folder / "cases").exists()


def test_edits_are_offered_when_the_network_makes_the_same_mask_of_the_images(
    folder, user, data_folder
):
    as_earlier_version(Session(folder).segment().paint().review(), data_folder)
    session = Session(folder).segment()
    user.answers = [RESTORE]
    session.watcher.offers.about_earlier(session.case)
    assert "earlier version" in user.asked[0]
    assert session.is_painted and session.is_reviewed
    (own,) = session.edits
    assert own.parent == session.watcher.autosave.folder.path


def test_edits_that_were_postponed_are_offered_once_until_the_case_is_opened_again(
    folder, user, data_folder
):
    as_earlier_version(Session(folder).segment().paint(), data_folder)
    session = Session(folder).segment()
    for _ in range(2):
        session.watcher.offers.about_earlier(session.case)
    assert len(user.asked) == 1
    session = Session(folder).segment()
    session.watcher.offers.about_earlier(session.case)
    assert len(user.asked) == 2


def test_edits_of_another_mask_are_not_offered(folder, user, data_folder):
    as_earlier_version(Session(folder).segment().paint(), data_folder)
    session = Session(folder).segment(first=5)
    session.watcher.offers.about_earlier(session.case)
    assert user.asked == []


def test_an_empty_mask_tells_nothing(folder, user, data_folder):
    as_earlier_version(Session(folder).segment(size=0).paint(), data_folder)
    session = Session(folder).segment(size=0)
    session.watcher.offers.about_earlier(session.case)
    assert user.asked == []


@pytest.mark.parametrize("written", ["before", "since"])
def test_a_mask_of_a_file_tells_only_if_the_images_are_older_than_the_edits(
    tmp_path, user, data_folder, written
):
    folder = write_patient(tmp_path / "Pat", labels=True)
    session = Session(folder)
    labels = session.labels
    labels.data_setitem(tuple(np.array([n]) for n in (3, 4, 2)), 1 + int(labels.data[3, 4, 2]) % 2)
    as_earlier_version(session, data_folder)
    if written == "since":
        file = folder / "Pat_t1ce.nii.gz"
        file.rename(folder / "x")
        (folder / "x").rename(file)  # a file of an older time that was moved here just now
        os.utime(file, (0, 0))
    (edits,) = data_folder.glob("autosave/*/*.safetensors")
    os.utime(edits)
    if written == "since":
        os.utime(edits, (file.stat().st_ctime - 1,) * 2)
    again = Session(folder)
    again.watcher.offers.about_earlier(again.case)
    assert len(user.asked) == (written == "before")
