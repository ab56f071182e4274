"""A segmentation with two small lesions and a larger one, on a grid along any axes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Points
from qtpy.QtWidgets import QFileDialog
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import grid_along

from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.lesions.canvas.rings import NAME
from napari_smalltumor.lesions.review.review import LesionReview

if TYPE_CHECKING:
    import pytest

    from napari_smalltumor.lesions.dock import LesionsDock

SHAPE = (24, 26, 28)
SPACING = (1.0, 1.5, 2.0)


def classes() -> np.ndarray:
    """Classes with ET of 2, 12 and 216 voxels: alone, in edema, and in a core in edema."""
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[2:4, 20, 5] = TissueClass.ET
    voxels[12:22, 14:24, 3:12] = TissueClass.ED
    voxels[14:16, 16:18, 5:8] = TissueClass.ET
    voxels[4:14, 2:13, 14:26] = TissueClass.ED
    voxels[5:13, 3:12, 15:25] = TissueClass.NCR
    voxels[6:12, 4:10, 16:22] = TissueClass.ET
    return voxels


def synthetic_case(axcodes: str = "PSR") -> Case:
    """A case whose axes are, by default, neither those of the layers nor of the network."""
    grid = grid_along(axcodes, SHAPE, SPACING)
    return Case("Pat", {"t1ce": np.zeros(SHAPE, np.int16)}, grid)


class UncertainNetwork:
    """Takes the place of `CroppedProbabilities`: ET has a probability of one half everywhere."""

    def at(self, voxels: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        return np.repeat(np.float32([[0.1], [0.2], [0.2], [0.5]]), len(voxels), axis=1)


def show_regions(viewer: ViewerModel, case: Case) -> None:
    """Show ET, TC and WT of a network's result as three layers."""
    network: Any = UncertainNetwork()
    result = Segmentation(case.name, classes(), case.grid, cropped=network)
    show_segmentation(viewer, case, result)


def show_drawn_regions(viewer: ViewerModel, case: Case) -> None:
    """Show ET, TC and WT without probabilities."""
    show_segmentation(viewer, case, Segmentation(case.name, classes(), case.grid))


def show_classes(viewer: ViewerModel, case: Case, scheme: str = "brats2018") -> None:
    """Show all classes in one layer, with the numbers of a label scheme."""
    stored = SCHEMES[scheme].encode(classes())
    data, attributes, _ = labels_layer(case, stored, SCHEMES[scheme])
    viewer.add_labels(data, **attributes)


def search(review: LesionReview, threshold: float = 100) -> None:
    """Search and set the lesions without waiting for the finder."""
    review.set_lesions(review.source.snapshot(review.region).lesions(threshold))


def save_table(dock: LesionsDock, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the table of the dock as CSV, as if the file had been chosen."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **options: (str(path), ""))
    dock.table_file.ask_and_save()


def rings_shown(viewer: ViewerModel) -> Points:
    """The one layer of rings."""
    (layer,) = [layer for layer in viewer.layers if layer.name.startswith(NAME)]
    return layer
