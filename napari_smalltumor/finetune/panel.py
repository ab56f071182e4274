"""What the Fine-tune dock looks like: four pages, and the run under them."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QTabWidget, QVBoxLayout, QWidget

from napari_smalltumor.finetune.cases_page import CasesPage
from napari_smalltumor.finetune.monitor_page import WatchPage
from napari_smalltumor.finetune.result_page import UsePage
from napari_smalltumor.finetune.run_bar import RunBar
from napari_smalltumor.finetune.train_page import TrainPage

_WIDTH = 340


class FinetunePanel(QWidget):
    """Cases, Train, Watch, Use, in the order in which they are needed."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.cases, self.train = CasesPage(), TrainPage()
        self.watch, self.use = WatchPage(), UsePage()
        self.run = RunBar()
        self.pages = QTabWidget()
        for page, name, tooltip in (
            (self.cases, "&Cases", "Collect corrected cases"),
            (self.train, "&Train", "Settings of the next run"),
            (self.watch, "&Watch", "Curves, numbers, and the current prediction"),
            (self.use, "&Use", "Was it worth it?"),
        ):
            self.pages.setTabToolTip(self.pages.addTab(page, name), tooltip)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pages, 1)
        layout.addWidget(line)
        layout.addWidget(self.run)

    def turn_to(self, page: QWidget) -> None:
        """Show a page."""
        self.pages.setCurrentWidget(page)
