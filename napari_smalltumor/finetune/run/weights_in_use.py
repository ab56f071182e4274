"""Uses weights of a run in the Segment dock, and says which weights are in use there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor import settings, weights
from napari_smalltumor.finetune.run.result_page import ResultPage
from napari_smalltumor.finetune.run.run_name import RunName
from napari_smalltumor.recent_weights import remember_weights


def weights_to_use(run: RunFolder, status: RunStatus) -> Path:
    """The best weights of a run, or its final ones.

    The final ones, where the starting weights count as the best only because they are compared with
    their own results.
    """
    comparison = status.comparison
    is_favoured = comparison is not None and comparison.is_start and comparison.favours_start
    has_ended = not status.state.is_live and run.final.is_file()
    return run.final if is_favoured and has_ended else run.best


class WeightsInUse(QObject):
    """Shows on the *Result* page what the setting is, wherever it was changed.

    Parameters
    ----------
    page : ResultPage
    parent : QObject
    """

    def __init__(self, page: ResultPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._weights: Path | None = None
        self._run_name: RunName | None = None
        settings.changed.connect(self._on_setting)
        self._show()

    def show_run(self, path: Path, name: RunName) -> None:
        """Set the run that is shown, by its weights that can be used and its name."""
        self._weights, self._run_name = path, name
        self._show()

    def use(self) -> None:
        """Use the weights of the run in all Segment docks, open now or later."""
        if self._weights is None or not weights.accept(str(self._weights)):
            return
        remember_weights(settings.get("weights"))  # those before stay in the lists, too
        remember_weights(str(self._weights))
        settings.put("weights", str(self._weights))

    def _on_setting(self, name: str, value: Any) -> None:
        if name == "weights" and isalive(self):  # the settings exist longer than the dock
            self._show()

    def _show(self) -> None:
        chosen, path, name = settings.get("weights"), self._weights, self._run_name
        if path is not None and name is not None and chosen == str(path) and path.is_file():
            self._page.show_in_use(name.title_of(path))
        else:
            self._page.show_in_use(weights.title_in_use(chosen))
