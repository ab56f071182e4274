"""ET, TC and WT are painted with label 1, whatever key chooses another one."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case

from napari_smalltumor import notify
from napari_smalltumor.layers.editing.nesting import ensure_nesting


@pytest.fixture
def told(monkeypatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(notify, "info", said.append)
    return said


@pytest.mark.parametrize("label", [0, 2, 7])
def test_a_region_has_label_1_only_and_the_brush_never_erases(viewer, told, label):
    ensure_nesting(viewer)
    show_regions(viewer, synthetic_case())
    for number, region in enumerate(("ET", "TC", "WT"), start=1):
        layer = viewer.layers[f"Pat {region}"]
        layer.brush_size = 1
        before = np.count_nonzero(layer.data)
        layer.selected_label = label
        assert layer.selected_label == 1
        assert told[-1] == f"{region} has one label only. Press E to erase, P to paint."
        layer.paint((1, 1, 3 * number), layer.selected_label)
        assert np.count_nonzero(layer.data) > before and layer.data.max() == 1


def test_keys_that_choose_another_label_choose_none_for_a_region(viewer, told):
    from napari.layers.labels import _labels_key_bindings as bindings

    ensure_nesting(viewer)
    show_regions(viewer, synthetic_case())
    layer = viewer.layers["Pat ET"]
    for action in (
        bindings.decrease_label_id,
        bindings.increase_label_id,
        bindings.swap_selected_and_background_labels,
        bindings.new_label,
    ):
        action(layer)
        assert layer.selected_label == 1


def test_other_labels_keep_the_label_that_is_chosen(viewer, told):
    ensure_nesting(viewer)
    labels = viewer.add_labels(np.zeros((3, 4, 5), np.uint8))
    labels.selected_label = 4
    assert labels.selected_label == 4 and told == []
