"""The plugin's docks are tabs of one area, and opening one brings it to the front."""

from __future__ import annotations

import pytest
from event_loop import let_turns_pass
from qtpy import QT6
from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QDockWidget, QTabBar, QWidget

from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab


@pytest.fixture
def add(make_napari_viewer, qtbot):
    """Function that adds a dock as napari's menu does, and waits until it is in its place."""
    viewer = make_napari_viewer(show=True)

    def add_dock(
        title: str, area: str = "right", height: int = 0, *, waits: bool = True
    ) -> QDockWidget:
        widget = QWidget()
        widget.setMinimumHeight(height)
        show_as_tab(widget, title)
        dock = viewer.window.add_dock_widget(widget, name=f"{title} (Small Tumour)", area=area)
        if waits:
            qtbot.waitUntil(lambda: is_placed(dock))
        return dock

    add_dock.viewer = viewer
    return add_dock


def is_placed(dock: QDockWidget) -> bool:
    """Whether a dock is where it is to be, beside others or alone."""
    return any(getattr(child, "is_placed", False) for child in dock.findChildren(QObject))


def in_front(dock: QDockWidget) -> bool:
    return not dock.isHidden() and not dock.visibleRegion().isEmpty()


def test_docks_are_tabs_with_short_titles_and_the_newest_is_in_front(add, qtbot):
    first, second, third = (add(title) for title in ("Segment", "Lesions", "Fine-tune"))
    window = first.parentWidget()
    assert window.tabifiedDockWidgets(first) == [second, third]
    assert [dock.windowTitle() for dock in (first, second)] == ["Segment", "Lesions"]
    qtbot.waitUntil(lambda: in_front(third))
    assert not in_front(first)


TITLES = ["Segment", "Lesions", "Compare", "Follow-up", "Fine-tune", "Worklist", "Scan"]


@pytest.mark.parametrize("more", [[], ["Another dock of a long title"]])
def test_all_tabs_are_in_view_and_their_titles_whole_where_they_fit(add, more, qtbot):
    window, titles = add.viewer.window._qt_window, TITLES + more
    window.resize(1100, 700)
    docks = [add(title) for title in titles]
    width = 354  # of the narrowest Lesions dock
    window.resizeDocks(docks, [width] * len(docks), Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: docks[-1].width() == width)
    (bar,) = [b for b in window.findChildren(QTabBar) if b.count() == len(titles)]
    numbers = range(len(titles))
    assert [bar.tabText(number) for number in numbers] == titles
    assert all(bar.rect().contains(bar.tabRect(number)) for number in numbers)
    assert not bar.usesScrollButtons()
    texts = map(bar.fontMetrics().horizontalAdvance, titles)
    widths = [bar.tabRect(number).width() for number in numbers]
    is_whole = [width >= text for width, text in zip(widths, texts, strict=True)]
    if QT6:  # Qt 5 makes tabs wider, and cuts titles sooner
        assert all(is_whole) is not bool(more)


def test_tabs_that_the_user_has_made_are_in_view_too(add, qtbot):
    window = add.viewer.window._qt_window
    docks = [add(title) for title in ("Segment", "Lesions", "Compare")]
    for dock in docks:
        dock.setFloating(True)
    qtbot.waitUntil(lambda: all(map(in_front, docks)))
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        dock.setFloating(False)
    for dock in docks[1:]:
        window.tabifyDockWidget(docks[0], dock)

    def scrolled() -> list[bool]:
        bars = [b for b in window.findChildren(QTabBar) if b.isVisible() and b.count() == 3]
        return [b.usesScrollButtons() for b in bars]

    qtbot.waitUntil(lambda: scrolled() == [False])


def test_opening_a_dock_that_is_behind_a_tab_brings_it_to_the_front(add, qtbot):
    first, second = add("Segment"), add("Lesions")
    qtbot.waitUntil(lambda: in_front(second) and not in_front(first))
    first.setVisible(not first.isVisible())  # what napari's menu does
    qtbot.waitUntil(lambda: in_front(first))
    assert not second.isHidden()
    first.setVisible(not first.isVisible())
    let_turns_pass(qtbot)
    assert first.isHidden()


def test_docks_in_other_areas_and_of_other_plugins_stay_where_they_are(add, qtbot):
    first = add("Segment")
    other = add.viewer.window.add_dock_widget(QWidget(), name="other", area="right")
    left = add("Lesions", area="left")
    assert first.parentWidget().tabifiedDockWidgets(first) == []
    qtbot.waitUntil(lambda: in_front(other) and in_front(left) and in_front(first))


def test_a_window_keeps_its_size_when_docks_are_added(add, qtbot):
    window = add.viewer.window._qt_window
    window.resize(900, 700)
    let_turns_pass(qtbot)
    before = window.size()
    docks = [add(t, height=450, waits=False) for t in ("Segment", "Lesions", "Compare")]
    qtbot.waitUntil(lambda: all(map(is_placed, docks)))
    qtbot.wait(100)  # a window that grew would do so by now
    assert window.size() == before
