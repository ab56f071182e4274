"""A banner that compares a new result with the expert's mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt.utils import QSignalDebouncer

from napari_smalltumor.compare.choices import expert_can_be_compared
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets.docks.open_dock import open_dock
from napari_smalltumor.widgets.layouts import button, wrapped_label

if TYPE_CHECKING:
    from napari.components import ViewerModel

_DEBOUNCE_MS = 50


class ExpertBanner(QWidget):
    """A sentence and a button, shown while the active patient has regions and such a mask.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.button = button("Compare with the expert", "Open the Compare dock")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(wrapped_label("This case comes with an expert's mask."))
        layout.addWidget(self.button)
        self.button.clicked.connect(self._compare)
        self._soon = QSignalDebouncer(parent=self)
        self._soon.setTimeout(_DEBOUNCE_MS)
        self._soon.triggered.connect(self._update)
        patients = active_patient(viewer)
        patients.changed.connect(self._on_change)
        patients.patients_changed.connect(self._on_change)
        self._update()

    def _compare(self) -> None:
        open_dock(self._viewer, "Compare").compare_with_expert()

    def _on_change(self, *_: Any) -> None:
        if isalive(self):  # the viewer's patients exist longer than a dock
            self._soon.throttle()

    def _update(self) -> None:
        has_regions = case_to_export(self._viewer) is not None
        self.setVisible(has_regions and expert_can_be_compared(self._viewer))
