"""A label that is scrolled is as high as its text where there is space."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_smalltumor.widgets.scrolled_label import ScrolledLabel

REASON = "the masks are of different origin; changes may be differences between those who drew them"


@pytest.fixture
def label(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    layout = QVBoxLayout(parent)
    layout.addWidget(ScrolledLabel(), 1)
    layout.addStretch(0)
    parent.resize(340, 600)
    parent.show()
    yield layout.itemAt(0).widget()
    parent.close()


def test_the_text_is_seen_also_in_a_larger_font(label, qtbot):
    label.show_text(REASON)
    let_turns_pass(qtbot)
    assert label.height() == label.maximumHeight() and not is_scrolled(label)
    before = label.height()
    label.window().setStyleSheet("QWidget { font-size: 24px }")  # as napari's theme does
    qtbot.waitUntil(lambda: label.height() > before)
    let_turns_pass(qtbot)
    assert not is_scrolled(label)


def test_a_long_text_is_scrolled(label, qtbot):
    label.window().resize(340, 200)
    label.show_text("\n".join([REASON] * 24))
    qtbot.waitUntil(lambda: is_scrolled(label))
    assert label.height() <= 200


def test_no_text_takes_no_space_and_qt_does_not_complain(label, qtbot, qtlog):
    for text in (REASON, "", REASON):
        label.show_text(text)
        let_turns_pass(qtbot)
        assert label.isVisible() == bool(text)
    label.hide()
    label.show_text("")
    assert [record.message for record in qtlog.records] == []


def is_scrolled(label: ScrolledLabel) -> bool:
    return bool(label.verticalScrollBar().maximum() > 0)
