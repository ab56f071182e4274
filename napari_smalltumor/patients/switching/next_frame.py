"""What waits until the window shows another patient: the title, and keys and clicks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ref

from napari_smalltumor.viewer import one_per_viewer, qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QMainWindow

    from napari_smalltumor.widgets.docks.drawn_window import DrawnWindow
    from napari_smalltumor.widgets.docks.input_pause import InputPause


class NextFrame:
    """The frame that a window draws next, with everything that the active patient has changed.

    On a busy computer it is drawn a second after the change. Keys and clicks that the user makes
    until then are meant for the frame before; they would act on the new patient.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._calls: list[Callable[[], None]] = []
        self._drawn: DrawnWindow | None = None

    def then(self, call: Callable[[], None]) -> None:
        """Call a function when the frame is drawn; at once if no window is drawn."""
        window = self._window()
        if window is None:
            call()
            return
        from qtpy.QtCore import QTimer

        from napari_smalltumor.widgets.docks.drawn_window import DrawnWindow
        from napari_smalltumor.widgets.docks.input_pause import InputPause

        self._calls.append(call)
        if self._drawn is not None:
            self._drawn.is_drawn = False
        if len(self._calls) == 1:
            pause, self._drawn = InputPause(window), DrawnWindow(window)
            QTimer.singleShot(0, lambda: self._draw(pause))

    def drop_input(self) -> None:
        """Drop keys and clicks until the frame is drawn."""
        self.then(lambda: None)

    def _draw(self, pause: InputPause) -> None:
        """Draw, if Qt has not done so, and make all calls; then raise the first error."""
        calls, self._calls = self._calls, []
        try:
            errors = [_error_of(call) for call in (self._repaint, *calls)]
        finally:
            pause.end()
        first = next(filter(None, errors), None)
        if first is not None:
            raise first

    def _repaint(self) -> None:
        from qtpy.compat import isalive

        drawn, self._drawn = self._drawn, None
        is_drawn = drawn is not None and drawn.is_drawn
        if drawn is not None and isalive(drawn):  # else the window was deleted with it
            drawn.deleteLater()
        window = self._window()
        if window is not None and not is_drawn:
            window.repaint()

    def _window(self) -> QMainWindow | None:
        """The window, if it is shown and its event loop runs; in a script it may not run yet."""
        viewer = self._viewer()
        window = qt_main_window(viewer) if viewer is not None else None
        if window is None or not window.isVisible():
            return None
        from qtpy.QtCore import QThread

        return window if QThread.currentThread().loopLevel() > 0 else None


def _error_of(call: Callable[[], None]) -> Exception | None:
    """Make a call; its error, so that the next call is made all the same."""
    try:
        call()
    except Exception as error:
        return error
    return None


@one_per_viewer
def next_frame(viewer: ViewerModel) -> NextFrame:
    """The next frame of a viewer; all calls for a viewer return the same object."""
    return NextFrame(viewer)
