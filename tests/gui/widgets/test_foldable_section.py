"""A section is folded and unfolded by a click, and Tab does not reach what is folded."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QToolButton

from napari_smalltumor.widgets.foldable_section import FoldableSection


def test_a_click_on_the_title_shows_the_content_and_another_hides_it(qtbot):
    content = QLineEdit()
    section = FoldableSection(content)
    qtbot.addWidget(section)
    section.resize(300, 200)
    section.show()
    folded_height = section.sizeHint().height()
    assert not content.isVisible()
    title = section.findChild(QToolButton)
    QTest.mouseClick(title, Qt.MouseButton.LeftButton)
    assert content.isVisible()
    assert section.sizeHint().height() > folded_height
    QTest.keyClick(title, Qt.Key.Key_Space)
    assert not content.isVisible()
