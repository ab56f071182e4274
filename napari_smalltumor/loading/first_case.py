"""What to do while no patient is open: drop a folder, open a case, or open the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_smalltumor import settings
from napari_smalltumor.loading.open_case import open_case_folder
from napari_smalltumor.loading.sample_data import load_sample
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.widgets.layouts import button, row, wrapped_label

if TYPE_CHECKING:
    from napari.viewer import Viewer

_TEXT = "No patient is open. Drop a patient's folder, a scan or NIfTI files here, or open:"
_DEFAULT_READER = (
    "Make this plugin napari's reader of NIfTI files and case folders, so that napari does not ask "
    "which reader to use"
)


class FirstCase(QWidget):
    """Shown at the top of every dock until a patient is open.

    Parameters
    ----------
    viewer : Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.open_button = button("Case...", "Choose a folder with the images of a patient")
        self.sample_button = button("Sample", "Open the sample case, a glioma of BraTS 2021")
        self.default_reader_box = QCheckBox("Always open NIfTI with Small Tumour")
        self.default_reader_box.setToolTip(_DEFAULT_READER)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(6)
        layout.addWidget(wrapped_label(_TEXT))
        layout.addLayout(row(self.open_button, self.sample_button))
        layout.addWidget(self.default_reader_box)
        self.open_button.clicked.connect(lambda: open_case_folder(viewer))
        self.sample_button.clicked.connect(lambda: load_sample(unproxied(viewer)))
        self.default_reader_box.setChecked(settings.get("default_reader"))
        self.default_reader_box.clicked.connect(settings.set_default_reader)
        settings.changed.connect(self._on_setting)

    def _on_setting(self, name: str, value: object) -> None:
        if name == "default_reader" and isalive(self):  # the settings exist longer than the dock
            self.default_reader_box.setChecked(bool(value))
