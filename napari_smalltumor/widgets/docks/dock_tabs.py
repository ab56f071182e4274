"""Show the plugin's docks as tabs of one area, instead of one squeezed above the other.

Only Qt is used: the dock is found as the parent that napari gives a widget.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QWidget

_TABS = (
    "QTabBar { font-size: 11px; }"  # by which Qt cuts titles
    "QTabBar::tab { padding: 2px 1px; margin: 0px 1px 0px 0px; font-size: 11px; }"
)
"""Seven titles fit into the narrowest dock."""


def show_as_tab(widget: QWidget, title: str) -> None:
    """Show the dock of a widget as a tab beside the plugin's other docks.

    That happens whenever the widget is added to a window. A dock that the user then drags elsewhere
    stays there.

    Parameters
    ----------
    widget : QWidget
        The widget that napari puts into a dock.
    title : str
        Short title of the tab; napari's has the name of the plugin in it.
    """
    _DockTab(widget, title)


def bring_to_front(widget: QWidget) -> None:
    """Show the dock of a widget, and raise it above the tabs beside it."""
    dock = _dock_of(widget)
    if dock is not None:
        dock.show()
        dock.raise_()


class _DockTab(QObject):
    """Moves a widget's dock to the tabs, and keeps it open if it is opened a second time.

    napari's menu hides a dock that is open. If it is behind another tab, the user wants to see it.
    """

    def __init__(self, widget: QWidget, title: str) -> None:
        super().__init__(widget)
        self._widget, self._title = widget, title
        self._dock: QDockWidget | None = None
        self._is_behind = False
        self.is_placed = False
        self._sizes: WeakKeyDictionary[QMainWindow, QSize] = WeakKeyDictionary()
        widget.installEventFilter(self)
        self._follow_parent()

    @property
    def dock(self) -> QDockWidget | None:
        """The dock of the widget, if it is in a window."""
        return self._dock if self._dock is not None and isalive(self._dock) else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the widget to another dock, and notice that a dock behind a tab is hidden."""
        if watched is self._widget and event.type() == QEvent.Type.ParentChange:
            self._follow_parent()
        is_hidden = watched is self._dock and event.type() == QEvent.Type.HideToParent
        if is_hidden and self._is_behind:
            self._call_later(self._show_again)
        return False

    def _follow_parent(self) -> None:
        dock = _dock_of(self._widget)
        if dock is self._dock:
            return
        if (last := self.dock) is not None:
            last.removeEventFilter(self)
            last.visibilityChanged.disconnect(self._on_visibility)
        self._dock, self._is_behind, self.is_placed = dock, False, False
        if dock is not None:
            dock.setWindowTitle(self._title)
            dock.installEventFilter(self)
            dock.visibilityChanged.connect(self._on_visibility)
            # A dock below another one may enlarge its window, until it is a tab.
            self._sizes = WeakKeyDictionary({window: window.size() for window in _windows()})
            self._call_later(self._join)  # when napari has put it into its window

    def _call_later(self, slot: Callable[[], None]) -> None:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        timer.timeout.connect(timer.deleteLater)
        timer.start(0)

    def _join(self) -> None:
        """Move the dock to the tabs of another dock of the plugin in the same area."""
        dock, window = self.dock, _window_of(self.dock)
        if dock is None or window is None or dock.isFloating():
            return
        area = window.dockWidgetArea(dock)
        self.is_placed = False
        others = [
            other
            for tab in window.findChildren(_DockTab)
            if (other := tab.dock) is not None
            and tab.is_placed
            and not (other.isFloating() or other.isHidden())
            and window.dockWidgetArea(other) == area
        ]
        if others and not set(others) & set(window.tabifiedDockWidgets(dock)):
            window.tabifyDockWidget(others[-1], dock)
            self._restore_size(window)
        _show_all_tabs(window, self._title)
        self.is_placed = True
        if not dock.isHidden():
            dock.raise_()

    def _restore_size(self, window: QMainWindow) -> None:
        """Give a window the size again that it had before the dock was added."""
        before = self._sizes.get(window)
        if before is not None and not window.isMaximized() and not window.isFullScreen():
            window.layout().activate()  # the smallest size is that of the tabs now
            window.resize(before)

    def _on_visibility(self, visible: bool) -> None:
        """Remember whether the dock was behind another tab before it was hidden."""
        dock, window = self.dock, _window_of(self.dock)
        if dock is None or window is None:
            return
        if visible:
            self._is_behind = False
            _show_all_tabs(window, self._title)  # the user may have made these tabs
        elif not dock.isHidden():
            self._is_behind = bool(window.tabifiedDockWidgets(dock))

    def _show_again(self) -> None:
        dock, window = self.dock, _window_of(self.dock)
        if dock is not None and window is not None and dock.isHidden():
            dock.show()
            dock.raise_()


def _show_all_tabs(window: QMainWindow, title: str) -> None:
    """Keep all tabs in view that have one of this title: titles are cut if there are too many.

    Tabs that scroll instead would hide *Segment*; Qt's tooltip has the whole title.
    """
    whole = Qt.FindChildOption.FindDirectChildrenOnly
    for bar in window.findChildren(QTabBar, options=whole):
        if title in map(bar.tabText, range(bar.count())):
            bar.setElideMode(Qt.TextElideMode.ElideRight)
            bar.setUsesScrollButtons(False)
            bar.setStyleSheet(_TABS)


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def _windows() -> list[QMainWindow]:
    return [window for window in QApplication.topLevelWidgets() if isinstance(window, QMainWindow)]


def _window_of(dock: QDockWidget | None) -> QMainWindow | None:
    """The window in one of whose areas a dock is."""
    window = dock.parentWidget() if dock is not None else None
    return window if isinstance(window, QMainWindow) and window.isVisible() else None
