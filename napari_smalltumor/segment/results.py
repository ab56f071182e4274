"""The result of a run: volumes of the regions, number of lesions, warnings, and the run."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region

from napari_smalltumor.layers.regions import OUTERMOST_FIRST
from napari_smalltumor.segment.job import JobResult
from napari_smalltumor.widgets.layouts import wrapped_label

_SWATCH = 12


class ResultView(QWidget):
    """Shows a result; hidden until `show_result` is called."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        self._volumes: dict[Region, QLabel] = {}
        for row, region in enumerate(OUTERMOST_FIRST):
            grid.addWidget(_swatch(region), row, 0)
            grid.addWidget(QLabel(f"{region.name}  {REGION_NAMES[region]}"), row, 1)
            self._volumes[region] = QLabel()
            grid.addWidget(self._volumes[region], row, 2, Qt.AlignmentFlag.AlignRight)
        self._lesions = wrapped_label()
        self._run = wrapped_label()
        self._warnings = wrapped_label()
        for row, label in enumerate((self._lesions, self._run, self._warnings), len(self._volumes)):
            grid.addWidget(label, row, 0, 1, 3)
        self.setVisible(False)

    def show_result(self, result: JobResult, warnings: list[str]) -> None:
        """Show volumes, number of lesions, duration and warnings."""
        for region, label in self._volumes.items():
            label.setText(f"{result.volumes_ml[region]:.2f} ml")
        self._lesions.setText(lesions_line(result))
        self._run.setText(run_line(result))
        self._warnings.setText("\n".join(f"⚠ {text}" for text in warnings))
        self._warnings.setVisible(bool(warnings))
        self.setVisible(True)

    @property
    def text(self) -> str:
        """All texts, one per line."""
        labels = [*self._volumes.values(), self._lesions, self._run, self._warnings]
        return "\n".join(label.text() for label in labels if label.text())


def lesions_line(result: JobResult) -> str:
    """Number of enhancing components, and of small ones among them."""
    if result.lesions == 0:
        return "No enhancing component"
    plural = "" if result.lesions == 1 else "s"
    return (
        f"{result.lesions} enhancing component{plural}, "
        f"{result.small} small (<\u00a0{result.threshold}\u00a0voxels)"
    )


def run_line(result: JobResult) -> str:
    """Duration, device and weights of the run."""
    run = result.segmentation.run
    if run is None:
        return ""
    return f"{run.seconds:.1f} s on {run.device}, {run.backend}; {run.weights}. Research only."


def _swatch(region: Region) -> QLabel:
    picture = QPixmap(_SWATCH, _SWATCH)
    picture.fill(QColor.fromRgbF(*REGION_COLOURS[region]))
    label = QLabel()
    label.setPixmap(picture)
    return label
