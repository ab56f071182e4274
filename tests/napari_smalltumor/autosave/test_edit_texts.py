"""Strokes on a brain mask are applied, those on other masks saved."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case
from napari.layers import Layer

from napari_smalltumor.autosave.edit_texts import not_saved_text, readers_text
from napari_smalltumor.layers.masks.brain_mask import brain_mask_layer


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["Pat ET", "Pat TC"], "were not saved: Pat ET, Pat TC"),
        (["Pat brain mask"], "were not applied: Pat brain mask"),
        (["Pat ET", "Pat brain mask"], "were not saved: Pat ET; not applied: Pat brain mask"),
    ],
)
def test_a_brain_mask_is_named_as_not_applied(viewer, names, text):
    case = synthetic_case()
    show_regions(viewer, case)
    viewer.add_layer(Layer.create(*brain_mask_layer(case, np.ones(case.grid.shape, bool))))
    assert not_saved_text(names, viewer.layers) == text


@pytest.mark.parametrize(
    ("readers", "now", "text"),
    [
        ([], "Ben", ""),
        (["Ann"], "Ann", ""),
        (["Ann"], "", "The reader was Ann; the reader has no name now. If"),
        (["Ann", "Ben"], "Ben", "The readers were Ann and Ben; the reader is Ben now. If"),
    ],
)
def test_the_reader_of_edits_is_named_if_there_was_one(readers, now, text):
    assert readers_text(readers, now).startswith(text)
    assert bool(text) == bool(readers_text(readers, now))
