"""The reasons to doubt a comparison are as high as their text."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_smalltumor.follow_up.doubts import Doubts

REASON = "the masks are of different origin; changes may be differences between those who drew them"


@pytest.fixture
def doubts(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    layout = QVBoxLayout(parent)
    layout.addWidget(Doubts(), 1)
    layout.addStretch(0)
    parent.resize(340, 600)
    parent.show()
    yield layout.itemAt(0).widget()
    parent.close()


def test_all_reasons_are_seen_also_in_a_larger_font(doubts, qtbot):
    doubts.show_reasons([REASON])
    let_turns_pass(qtbot)
    assert doubts.height() == doubts.maximumHeight() and not is_scrolled(doubts)
    before = doubts.height()
    doubts.window().setStyleSheet("QWidget { font-size: 24px }")  # as napari's theme does
    qtbot.waitUntil(lambda: doubts.height() > before)
    let_turns_pass(qtbot)
    assert not is_scrolled(doubts)


def test_dozens_of_reasons_are_scrolled(doubts, qtbot):
    doubts.window().resize(340, 200)
    doubts.show_reasons([REASON] * 24)
    qtbot.waitUntil(lambda: is_scrolled(doubts))
    assert doubts.height() <= 200


def test_no_reasons_take_no_space_and_qt_does_not_complain(doubts, qtbot, qtlog):
    for warnings in ([REASON], [], [REASON]):
        doubts.show_reasons(warnings)
        let_turns_pass(qtbot)
        assert doubts.isVisible() == bool(warnings)
    doubts.hide()
    doubts.show_reasons([])
    assert [record.message for record in qtlog.records] == []


def is_scrolled(doubts: Doubts) -> bool:
    return bool(doubts.verticalScrollBar().maximum() > 0)
