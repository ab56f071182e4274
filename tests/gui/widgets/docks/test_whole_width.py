"""A dock that scrolls is as wide as what it shows, also when that grows."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_smalltumor.widgets.docks.whole_width import show_whole_width


def test_a_wide_button_that_appears_later_is_not_cut(qtbot):
    area, panel, button = QScrollArea(), QWidget(), QPushButton("Restore " * 40)
    QVBoxLayout(panel).addWidget(button)
    button.hide()
    area.setWidget(panel)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    show_whole_width(area, 200)
    qtbot.addWidget(area)
    area.resize(250, 100)
    with qtbot.waitExposed(area):
        area.show()
    assert area.minimumWidth() == 200 + area.verticalScrollBar().sizeHint().width()
    button.show()
    qtbot.waitUntil(lambda: area.viewport().width() >= panel.minimumSizeHint().width() > 200)
    assert area.viewport().rect().contains(button.geometry())
    button.hide()
    qtbot.waitUntil(lambda: area.minimumWidth() < 250)
