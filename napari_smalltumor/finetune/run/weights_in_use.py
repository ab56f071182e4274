"""Uses the best weights of a run in the Segment dock, and says which weights are in use there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject

from napari_smalltumor import settings, weights
from napari_smalltumor.finetune.run.result_page import ResultPage
from napari_smalltumor.finetune.run.run_name import RunName
from napari_smalltumor.recent_weights import remember_weights


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
        self._best: Path | None = None
        self._run_name: RunName | None = None
        settings.changed.connect(self._on_setting)
        self._show()

    def show_run(self, best: Path, name: RunName) -> None:
        """Set the run that is shown, by its best weights and its name."""
        self._best, self._run_name = best, name
        self._show()

    def use_best(self) -> None:
        """Use the best weights of the run in all Segment docks, open now or later."""
        if self._best is None or not weights.accept(str(self._best)):
            return
        remember_weights(settings.get("weights"))  # those before stay in the lists, too
        remember_weights(str(self._best))
        settings.put("weights", str(self._best))

    def _on_setting(self, name: str, value: Any) -> None:
        if name == "weights" and isalive(self):  # the settings exist longer than the dock
            self._show()

    def _show(self) -> None:
        chosen, best, name = settings.get("weights"), self._best, self._run_name
        if best is not None and name is not None and chosen == str(best) and best.is_file():
            self._page.show_in_use(name.best())
        else:
            self._page.show_in_use(weights.title_in_use(chosen))
