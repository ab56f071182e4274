"""A long layer name in a modality picker keeps its modality."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_smalltumor.widgets.elided_combo_box import elide_in_the_middle, elided_text

NAME = "BraTS-GLI-00019-000 of the second examination T1CE"


def combo_with(qtbot, *texts: str) -> QComboBox:
    combo = QComboBox()
    qtbot.addWidget(combo)
    combo.addItems(texts)
    elide_in_the_middle(combo, "nothing")
    combo.resize(160, 26)
    combo.show()
    return combo


def test_the_end_of_a_long_name_is_painted(qtbot):
    combo = combo_with(qtbot, NAME)
    assert elided_text(combo).startswith("BraTS")
    assert elided_text(combo).endswith("T1CE")
    assert len(elided_text(combo)) < len(NAME)
    assert combo.view().textElideMode() == Qt.TextElideMode.ElideMiddle


def test_two_names_that_differ_at_their_ends_look_different(qtbot):
    pictures = [combo_with(qtbot, f"{NAME} {end}").grab().toImage() for end in ("FLAIR", "T1")]
    assert pictures[0] != pictures[1]


def test_a_box_without_a_choice_shows_the_placeholder(qtbot):
    empty = combo_with(qtbot)
    assert elided_text(empty, "nothing") == "nothing"
    assert empty.grab().toImage() != combo_with(qtbot, "other").grab().toImage()
