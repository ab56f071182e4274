"""A segmentation with two small lesions and a larger one, on a grid along any axes."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import grid_along

from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.regions import show_segmentation

SHAPE = (24, 26, 28)
SPACING = (1.0, 1.5, 2.0)


def classes() -> np.ndarray:
    """ET of 2, 12 and 216 voxels: alone, in edema, and in a core in edema."""
    made = np.zeros(SHAPE, np.uint8)
    made[2:4, 20, 5] = TissueClass.ET
    made[12:22, 14:24, 3:12] = TissueClass.ED
    made[14:16, 16:18, 5:8] = TissueClass.ET
    made[4:14, 2:13, 14:26] = TissueClass.ED
    made[5:13, 3:12, 15:25] = TissueClass.NCR
    made[6:12, 4:10, 16:22] = TissueClass.ET
    return made


def synthetic_case(axcodes: str = "PSR") -> Case:
    """A case on a grid that lies neither as the layers do nor as the network sees it."""
    grid = grid_along(axcodes, SHAPE, SPACING)
    return Case("Pat", {"t1ce": np.zeros(SHAPE, np.int16)}, grid)


def show_regions(viewer: ViewerModel, case: Case) -> None:
    """ET, TC and WT as three layers."""
    show_segmentation(viewer, case, Segmentation(case.name, classes(), case.grid))


def show_classes(viewer: ViewerModel, case: Case, scheme: str = "brats2018") -> None:
    """All classes in one layer, as a file stores them."""
    stored = SCHEMES[scheme].encode(classes())
    data, attributes, _ = labels_layer(case, stored, SCHEMES[scheme])
    viewer.add_labels(data, **attributes)
