"""The reasons to doubt a comparison are as high as their text."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_smalltumor.follow_up.comparison_warnings import ComparisonWarnings

REASON = "the masks are of different origin; changes may be differences between those who drew them"


@pytest.fixture
def warnings(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    layout = QVBoxLayout(parent)
    layout.addWidget(ComparisonWarnings(), 1)
    layout.addStretch(0)
    parent.resize(340, 600)
    parent.show()
    yield layout.itemAt(0).widget()
    parent.close()


def test_all_reasons_are_seen_also_in_a_larger_font(warnings, qtbot):
    warnings.show_warnings([REASON])
    let_turns_pass(qtbot)
    assert warnings.height() == warnings.maximumHeight() and not is_scrolled(warnings)
    before = warnings.height()
    warnings.window().setStyleSheet("QWidget { font-size: 24px }")  # as napari's theme does
    qtbot.waitUntil(lambda: warnings.height() > before)
    let_turns_pass(qtbot)
    assert not is_scrolled(warnings)


def test_dozens_of_reasons_are_scrolled(warnings, qtbot):
    warnings.window().resize(340, 200)
    warnings.show_warnings([REASON] * 24)
    qtbot.waitUntil(lambda: is_scrolled(warnings))
    assert warnings.height() <= 200


def test_no_reasons_take_no_space_and_qt_does_not_complain(warnings, qtbot, qtlog):
    for reasons in ([REASON], [], [REASON]):
        warnings.show_warnings(reasons)
        let_turns_pass(qtbot)
        assert warnings.isVisible() == bool(reasons)
    warnings.hide()
    warnings.show_warnings([])
    assert [record.message for record in qtlog.records] == []


def is_scrolled(warnings: ComparisonWarnings) -> bool:
    return bool(warnings.verticalScrollBar().maximum() > 0)
