"""What the viewer shows of a case: its segmentation, and the layers of the case opened last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.modalities import Choice, fill_missing
from napari_smalltumor.layers.region_masks import display_mask
from napari_smalltumor.layers.regions import segmentation_steps


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
