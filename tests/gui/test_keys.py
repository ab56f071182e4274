"""Keys, mnemonics and palette entries of the plugin do not get in the way of napari's."""

from __future__ import annotations

from collections import Counter

import pytest
from napari import layers
from napari._app_model import get_app_model
from napari.components import ViewerModel
from napari.utils.key_bindings import KeyBinding
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractButton, QLabel, QTabBar

from napari_smalltumor import devices, keys
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.prepared_scan.dock import PreparedScanDock
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.worklist.dock import WorklistDock

LAYER_TYPES = (
    layers.Image,
    layers.Labels,
    layers.Points,
    layers.Shapes,
    layers.Surface,
    layers.Tracks,
    layers.Vectors,
)


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    return make_napari_viewer()


def test_no_key_of_the_review_is_a_key_of_napari(viewer):
    of_napari = {key for kind in (*LAYER_TYPES, ViewerModel) for key in kind.class_keymap}
    assert KeyBinding.from_str("Delete") in of_napari  # the list is not empty
    of_napari |= {bound.keybinding for bound in get_app_model().keybindings}
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock)
    ours = {KeyBinding.from_str(key.napari) for key in dock.keys.shortcuts}
    assert len(ours) == 9
    assert not ours & of_napari


def test_a_mnemonic_is_neither_napari_s_nor_a_key_nor_that_of_another_button(viewer):
    of_napari = {str(bound.keybinding) for bound in get_app_model().keybindings}
    of_napari |= set(mnemonics(a.text() for a in viewer.window._qt_window.menuBar().actions()))
    of_keys = {key.sequence for key in vars(keys).values() if isinstance(key, keys.Key)}
    kinds = (SegmentDock, LesionsDock, CompareDock, FinetuneDock, FollowUpDock, WorklistDock)
    docks = [kind(viewer) for kind in (*kinds, PreparedScanDock)]
    for dock in docks:
        viewer.window.add_dock_widget(dock)
    ours = [key for dock in docks for key in mnemonics_of(dock)]
    assert len(ours) >= 8 and {"Alt+F", "Alt+S"} < of_napari
    assert not set(ours) & of_napari
    assert {"Alt+N", "Alt+R"} < of_keys
    assert not set(ours) & of_keys, "Qt calls neither of two"
    assert [key for key, count in Counter(ours).items() if count > 1] == []


def test_the_palette_does_not_offer_readers_and_writers(viewer):
    menus = get_app_model().menus
    commands = [item.command for item in menus.get_menu(menus.COMMAND_PALETTE_ID)]
    ours = {c.id.removeprefix("napari-smalltumor."): c for c in commands if "smalltumor" in c.id}
    disabled = {n for n, c in ours.items() if c.enablement is not None and not c.enablement.eval()}
    assert disabled == {"read", "write_labels", "write_regions", "write_image"}
    assert {"open_case", "export"} < set(ours)


def mnemonics_of(dock) -> list[str]:
    texts = [w.text() for kind in (QAbstractButton, QLabel) for w in dock.findChildren(kind)]
    for bar in dock.findChildren(QTabBar):
        texts += [bar.tabText(number) for number in range(bar.count())]
    return mnemonics(texts)


def mnemonics(texts) -> list[str]:
    found = (QKeySequence.mnemonic(text).toString() for text in texts)
    return [key for key in found if key]
