"""Edits are named after those who made them."""

from __future__ import annotations

import numpy as np
import pytest
from edit_sessions import Session, User, write_patient

from napari_smalltumor import settings
from napari_smalltumor.autosave.mask_files import read_readers
from napari_smalltumor.autosave.restore_question import DISCARD, LATER


@pytest.fixture
def user(monkeypatch) -> User:
    return User(monkeypatch)


def readers_of(session: Session) -> list[str]:
    session.watcher.save_now()
    session.watcher.autosave.wait()
    return read_readers(session.watcher.autosave.folder.file_of(session.case))


@pytest.mark.parametrize("answer", [DISCARD, LATER])
def test_who_made_edits_that_were_left_has_not_made_those_after_them(tmp_path, user, answer):
    folder = write_patient(tmp_path / "P1")
    settings.put("reader", "Ann")
    first = Session(folder).segment().paint()
    assert readers_of(first) == ["Ann"]
    first.viewer.layers.clear()
    first.watcher.autosave.wait()
    settings.put("reader", "Bob")
    user.answers = [answer]
    second = Session(folder, first.viewer).segment(first=6).paint()
    assert len(user.asked) == 1
    assert readers_of(second) == ["Bob"]


def test_strokes_are_of_the_reader_who_was_named_when_they_were_painted(tmp_path, user):
    settings.put("reader", "Ann")
    session = Session(write_patient(tmp_path / "P1")).segment().paint()
    settings.put("reader", "Bob")  # within the minute of the autosave
    assert readers_of(session) == ["Ann"]
    session.et.data_setitem((np.array([7]),) * 3, 1)
    assert readers_of(session) == ["Ann", "Bob"]


def test_who_made_edits_that_were_exported_after_they_were_closed_has_not_made_later_ones(
    tmp_path, user
):
    folder = write_patient(tmp_path / "P1")
    settings.put("reader", "Ann")
    first = Session(folder).segment().paint()
    autosave = first.watcher.autosave
    exported = autosave.checksums(first.viewer.layers)
    assert readers_of(first) == ["Ann"]
    first.viewer.layers.clear()
    autosave.mark_exported(exported)
    autosave.wait()
    settings.put("reader", "Bob")
    assert readers_of(Session(folder, first.viewer).segment(first=6).paint()) == ["Bob"]
