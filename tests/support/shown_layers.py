"""What the viewer shows of a case: its segmentation, and the layers of the case opened last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari_cases import case_along
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.masks.regions import segmentation_steps
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.modalities import Choice, fill_missing
from napari_smalltumor.viewer_setup import set_up


def open_segmented(viewer: ViewerModel, name: str = "Pat") -> None:
    """Add the images of a synthetic case and a result with random voxels of each class."""
    case = case_along(name=name)
    set_up(viewer)
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)
    classes = np.random.default_rng(0).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(name, classes, case.grid))


def show_segmentation(
    viewer: ViewerModel, case: Case, segmentation: Segmentation, **options: Any
) -> dict[Region, Labels]:
    """Update the case's region layers, or add them; the options are those of the steps."""
    masks = {region: display_mask(segmentation.mask(region), case) for region in Region}
    for _ in segmentation_steps(viewer, case, segmentation, masks, **options):
        pass
    return region_layers(viewer.layers, case)


def newest_case_layers(layers: Iterable[Layer]) -> Choice:
    """The layers of the case that was opened last."""
    return fill_missing(dict.fromkeys(MODALITIES), layers)


def first_regions(viewer: ViewerModel) -> dict[Region, Labels]:
    """The region layers of the case that the lowest layer shows."""
    case = case_of(viewer.layers[0])
    assert case is not None
    return region_layers(viewer.layers, case)
