"""A long name is cut where it is still told from the others."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_smalltumor.widgets.elided_combo_box import elide_long_texts, elided_text

NAME = "BraTS-GLI-00019-000 of the second examination T1CE"


def combo_with(qtbot, *texts: str) -> QComboBox:
    combo = QComboBox()
    qtbot.addWidget(combo)
    combo.addItems(texts)
    elide_long_texts(combo, "nothing")
    combo.resize(180, 26)
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


TWINS = [f"UCSF-PDGM-0429_glioma_{date}_after_radiotherapy" for date in ("20190312", "20190911")]


def test_twins_that_differ_in_the_middle_of_their_names_look_different(qtbot):
    combo = combo_with(qtbot, *TWINS, "UCSF-PDGM-0430")
    shown = []
    for number in range(combo.count()):
        combo.setCurrentIndex(number)
        shown.append(elided_text(combo))
    assert len(set(shown)) == 3 and shown[2] == "UCSF-PDGM-0430"
    assert all(text.startswith("UCSF") for text in shown)
    assert all(combo.fontMetrics().horizontalAdvance(text) <= 180 for text in shown)
    assert "20190312" in shown[0] and "20190911" in shown[1]


def test_twins_look_different_in_the_list_too(qtbot):
    combo = combo_with(qtbot, *TWINS)
    combo.showPopup()
    view = combo.view()
    pictures = []
    for row in (0, 1):
        rectangle = view.visualRect(combo.model().index(row, 0))
        view.setCurrentIndex(combo.model().index(1 - row, 0))  # the other row is highlighted
        pictures.append(view.viewport().grab(rectangle).toImage())
    combo.hidePopup()
    assert pictures[0] != pictures[1]
