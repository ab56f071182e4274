"""The regions of a case: its name, volumes with their colours, lesions, warnings and the run."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from smalltumor.data.case import Case
from smalltumor.data.made_by import SEEN_IN_TRAINING, MadeBy, network_warnings
from smalltumor.data.segmentation import InferenceRun
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region
from smalltumor.text import volume_text
from superqt import QElidingLabel

from napari_smalltumor.layers.masks.regions import OUTERMOST_FIRST
from napari_smalltumor.segment.finding_texts import finding_text
from napari_smalltumor.widgets.layouts import wrapped_label

_SWATCH = 12
_NO_LAYER = "no layer"
_SEEN = f"{SEEN_IN_TRAINING[0].upper()}{SEEN_IN_TRAINING[1:]}."
IMAGES_CHANGED = "The images were changed after this segmentation; segment the case again."


class ResultView(QWidget):
    """Shows the regions of a case; hidden until `show_regions` is called."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        self._name = QElidingLabel()
        grid.addWidget(self._name, 0, 0, 1, 3)
        self._volumes: dict[Region, QLabel] = {}
        for row, region in enumerate(OUTERMOST_FIRST, 1):
            grid.addWidget(_swatch(region), row, 0)
            grid.addWidget(QLabel(f"{region.name}  {REGION_NAMES[region]}"), row, 1)
            self._volumes[region] = QLabel()
            grid.addWidget(self._volumes[region], row, 2, Qt.AlignmentFlag.AlignRight)
        self._lesions = wrapped_label()
        self._run = wrapped_label()
        self._warnings = wrapped_label()
        self._of_regions: list[str] = []
        self._placement = ""
        for row, label in enumerate((self._lesions, self._run, self._warnings), grid.rowCount()):
            grid.addWidget(label, row, 0, 1, 3)
        self.setVisible(False)

    def show_regions(
        self,
        case: Case,
        volumes_ml: Mapping[Region, float],
        *,
        title: str,
        run: InferenceRun | None,
        made_by: MadeBy | None,
        read_from: str,
        edited: bool,
        outdated: bool,
    ) -> None:
        """Show the volumes of a case and how its regions came about.

        Parameters
        ----------
        case : Case
        volumes_ml : mapping of Region to float
            A region without a layer has no volume.
        title : str
            Name of the case for the user.
        run : InferenceRun or None
            None if the regions are not the result of a run, such as masks from a file.
        made_by : MadeBy or None
            What the file of such masks, or the autosave, records of what made them.
        read_from : str
            The files of such masks; empty of any others.
        edited : bool
            Whether the regions differ from the result of the run.
        outdated : bool
            Whether the images were changed after the regions were made.
        """
        self._name.setText(title)
        self._name.setToolTip(title)
        for region, label in self._volumes.items():
            has_layer = region in volumes_ml
            label.setText(f"{volume_text(volumes_ml[region])} ml" if has_layer else _NO_LAYER)
        made = run_line(run, edited=edited) if run is not None else made_by_line(made_by)
        if run is None and read_from:
            made = "\n".join(filter(None, [f"Opened from {read_from}.", made]))
        self._run.setText(made)
        self._run.setToolTip("" if run is None else f"Computed with {run.backend} on {run.device}")
        self._run.setVisible(bool(made))
        findings = map(finding_text, run.findings if run is not None else ())
        changed = [IMAGES_CHANGED] if outdated else []
        of_network = network_warnings(made_by, "the mask") if run is None else []
        self._of_regions = [
            *changed,
            *(f"{text[0].upper()}{text[1:]}" for text in of_network),
            *case.warnings,
            *findings,
            *(run.warnings if run is not None else ()),
        ]
        self._show_warnings()
        self.setVisible(True)

    def show_placement(self, text: str) -> None:
        """Show what is doubtful about the place of the regions; empty if nothing is."""
        self._placement = text[:1].upper() + text[1:]
        self._show_warnings()

    def _show_warnings(self) -> None:
        warnings = [*filter(None, [self._placement]), *self._of_regions]
        self._warnings.setText("\n".join(f"⚠ {text}" for text in warnings))
        self._warnings.setVisible(bool(warnings))

    def show_lesions(self, text: str, tooltip: str = "") -> None:
        """Show the number of lesions."""
        self._lesions.setText(text)
        self._lesions.setVisible(bool(text))
        self._lesions.setToolTip(tooltip)

    @property
    def text(self) -> str:
        """All texts, one per line; empty while nothing is shown."""
        if self.isHidden():
            return ""
        labels = [self._name, *self._volumes.values(), self._lesions, self._run, self._warnings]
        return "\n".join(label.text() for label in labels if label.text())


def run_line(run: InferenceRun, *, edited: bool) -> str:
    """Weights, time and device of a run, and what is to be known of its result."""
    device = "the processor" if run.device == "cpu" else run.device
    edits = " and edited since" if edited else ""
    lines = [
        f"Segmented with the weights {run.weights} in {run.seconds:.1f} s on {device}{edits}. "
        "Research only."
    ]
    return "\n".join([*lines, *([_SEEN] if run.seen_in_training else [])])


def made_by_line(made_by: MadeBy | None) -> str:
    """What made masks that were opened or restored; empty if that is not known."""
    if made_by is None:
        return ""
    if made_by.is_manual:
        return "Drawn by hand."
    weights = f"the weights {made_by.weights}" if made_by.weights else "unknown weights"
    edits = "" if made_by.is_unedited else " and edited since"
    return (
        f"Segmented earlier with {weights}{edits}. Research only.\nThe probabilities were not "
        "kept with the masks; Segment computes them again, and replaces the masks."
    )


def _swatch(region: Region) -> QLabel:
    picture = QPixmap(_SWATCH, _SWATCH)
    picture.fill(QColor.fromRgbF(*REGION_COLOURS[region]))
    label = QLabel()
    label.setPixmap(picture)
    return label
