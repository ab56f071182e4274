"""An autosave file is deleted when its edits are undone, exported or replaced by a result."""

from __future__ import annotations

import pytest

from napari_smalltumor import settings


def test_undoing_an_edit_deletes_the_autosave(edited):
    edited.paint()
    edited.save()
    assert edited.files == []


def test_an_export_deletes_the_autosave_until_the_next_stroke(edited):
    edited.autosave.mark_exported(edited.regions.values())
    edited.save()
    assert edited.files == []
    edited.paint((5, 5, 5))
    edited.save()
    assert len(edited.files) == 1


def test_taking_back_what_was_exported_is_an_edit(edited):
    """The regions are the network's again, but the file is not."""
    edited.autosave.mark_exported(edited.regions.values())
    edited.paint()
    edited.save()
    assert "Pat ET" in edited.autosave.edited(edited.viewer.layers)
    assert len(edited.files) == 1
    edited.paint()
    edited.save()
    assert edited.autosave.edited(edited.viewer.layers) == [] and edited.files == []


@pytest.mark.parametrize("seed", [5, 6])
def test_a_new_result_after_an_export_is_no_edit(edited, seed):
    """Also if it is equal to the one before the edits that were exported."""
    edited.autosave.mark_exported(edited.regions.values())
    edited.paint()
    edited.segmented(seed)
    edited.save()
    assert edited.autosave.edited(edited.viewer.layers) == [] and edited.files == []


def test_a_new_result_deletes_the_autosave(edited):
    edited.segmented()
    edited.save()
    assert edited.files == []


def test_strokes_after_the_copy_are_not_marked_as_exported(edited):
    copied = edited.autosave.checksums(edited.regions.values())
    edited.paint((5, 5, 5))
    edited.autosave.mark_exported(copied)
    edited.save()
    assert len(edited.files) == 1
    edited.paint((5, 5, 5))
    edited.save()
    assert edited.files == []


def test_edits_that_are_exported_while_autosave_is_disabled_cannot_be_restored_later(edited):
    settings.put("autosave", False)
    edited.paint((5, 5, 5))
    edited.autosave.mark_exported(edited.regions.values())
    edited.autosave.wait()
    assert edited.files == []
