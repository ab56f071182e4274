"""Edits that are restored are in one file."""

from __future__ import annotations

import numpy as np
import pytest
from edit_sessions import PAINTED, Session, User, write_patient

from napari_smalltumor.autosave.restore_question import RESTORE


@pytest.fixture
def user(monkeypatch) -> User:
    return User(monkeypatch)


def test_restored_edits_are_not_offered_a_second_time(tmp_path, user):
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
