"""What a user has agreed to replace is replaced, and nothing that was written since."""

from __future__ import annotations

import pytest
from smalltumor.errors import OutputError

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.destination import Destination


def test_a_new_file_replaces_none_that_is_written_meanwhile(tmp_path):
    destination = Destination.confirmed(None, tmp_path / "a.html", "the report of Pat")
    assert destination is not None and not destination.overwrite
    destination.check()


@pytest.mark.parametrize("agrees", [True, False])
def test_a_file_is_replaced_if_the_user_agrees(tmp_path, monkeypatch, agrees):
    path = tmp_path / "a.html"
    path.write_text("earlier")
    monkeypatch.setattr(questions, "confirm", lambda *arguments: agrees)
    destination = Destination.confirmed(None, path, "the report of Pat")
    assert (destination is not None and destination.overwrite) == agrees


def test_a_file_that_was_written_since_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("earlier")
    monkeypatch.setattr(questions, "confirm", lambda *arguments: True)
    one, two = (Destination.confirmed(None, path, f"the report of {name}") for name in ("A", "B"))
    one.check()
    path.write_text("the report of A")
    with pytest.raises(OutputError, match=r"a\.html was changed since you agreed to replace it"):
        two.check()
    path.unlink()
    with pytest.raises(OutputError, match="was changed since"):
        one.check()
