"""The Fine-tune dock's widgets: four pages, and the run bar below them, which is always in view."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFrame, QSizePolicy, QTabWidget, QVBoxLayout, QWidget
from smalltumor.training.runs.status import RunStatus

from napari_smalltumor.finetune.cases.cases_page import CasesPage
from napari_smalltumor.finetune.next_run.train_page import TrainPage
from napari_smalltumor.finetune.run.monitor_page import MonitorPage
from napari_smalltumor.finetune.run.result_page import ResultPage
from napari_smalltumor.finetune.run.run_bar import RunBar
from napari_smalltumor.finetune.run.run_name import RunName
from napari_smalltumor.widgets.layouts import scrolled

_WIDTH = 340


class FinetunePanel(QWidget):
    """The pages *Cases*, *Train*, *Monitor* and *Result*, in the order of their use."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.cases, self.train = CasesPage(), TrainPage()
        self.monitor, self.result = MonitorPage(), ResultPage()
        self.run_bar = RunBar()
        self.pages = QTabWidget()
        for page, title, tooltip in (
            (self.cases, "Cases", "Collect corrected cases for training"),
            (self.train, "Train", "Settings of the next run"),
            (self.monitor, "Monitor", "Curves, numbers and current predictions of the run"),
            (self.result, "Result", "Dice before and after training"),
        ):
            self.pages.setTabToolTip(self.pages.addTab(page, title), tooltip)
        self.pages.currentChanged.connect(self._fit_height)
        self._fit_height(0)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scrolled(self.pages), 1)
        layout.addWidget(line)
        layout.addWidget(self.run_bar)
        self._layout = layout

    def _fit_height(self, current: int) -> None:
        """Let the page in front need its own height, and not that of the highest page."""
        for number in range(self.pages.count()):
            page = self.pages.widget(number)
            assert page is not None
            preferred, ignored = QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored
            page.setSizePolicy(preferred, preferred if number == current else ignored)

    def set_header(self, header: QWidget) -> None:
        """Show a widget above the pages."""
        header.setContentsMargins(8, 0, 8, 6)
        self._layout.insertWidget(0, header)

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front."""
        self.pages.setCurrentWidget(page)

    def show_name(self, name: RunName, weights: Path) -> None:
        """Name the run that is shown, and its weights that can be used."""
        self.run_bar.show_name(name)
        self.result.show_title(name.title_of(weights))

    def show_status(
        self, status: RunStatus, *, busy: str, has_weights: bool, is_final: bool
    ) -> None:
        """Show the status of a run on the pages and the run bar.

        Parameters
        ----------
        status : RunStatus
        busy : str
            What is being done to the run, such as "Stopping ..."; may be empty.
        has_weights : bool
            Whether the run has written weights that can be used.
        is_final : bool
            As for `ResultPage.show_status`.
        """
        self.run_bar.show_status(status, busy=busy)
        self.monitor.show_status(status)
        self.result.show_status(status, has_weights=has_weights, is_final=is_final)
