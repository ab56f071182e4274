"""Pauses and stops runs in a worker, and says how that ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from smalltumor.training.runs import run_control

from napari_smalltumor import notify
from napari_smalltumor.workers import run_in_thread


class RunEnding(QObject):
    """Ends the processes of runs, each of which may take some seconds.

    Parameters
    ----------
    parent : QObject
    """

    changed = Signal()
    """A run is being ended, or has ended."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._actions: dict[Path, str] = {}

    def action(self, run: Path) -> str:
        """What is being done to a run, such as ``Stopping ...``; empty if nothing is."""
        return self._actions.get(run, "")

    def pause(self, run: Path, host: str) -> None:
        """Save a run and end its process, to resume it later.

        Parameters
        ----------
        run : Path
            The folder of the run.
        host : str
            The computer that it trains on; empty for this one.
        """
        self._end(run, host, "Pausing", run_control.pause)

    def stop(self, run: Path, host: str) -> None:
        """Save and stop a run; parameters as for `pause`."""
        self._end(run, host, "Stopping", run_control.stop)

    def _end(self, run: Path, host: str, action: str, end: Callable[[Path], bool]) -> None:
        if run in self._actions:
            return
        self._actions[run] = f"{action} ..."
        self.changed.emit()

        def done(saved: bool) -> None:
            del self._actions[run]
            if not saved and host:
                notify.info(f"The run on {host} will stop after the current step.")
            elif not saved:
                notify.warn(
                    "The process did not respond and was ended. The last saved state is kept."
                )
            self.changed.emit()

        def failed(error: Exception) -> None:
            del self._actions[run]
            notify.report_error(error)
            self.changed.emit()

        run_in_thread(lambda: end(run), self, done, failed, name=f"{action.lower()} a run")
