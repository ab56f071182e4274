"""The case and the masks in the viewer that can be added to a training folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, LabelError
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES, integer_values
from smalltumor.text import list_text
from smalltumor.training.data.expert_labels import check_classes

from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.incomplete_results import check_complete
from napari_smalltumor.layers.masks.region_masks import made_by_of, segmentation_of
from napari_smalltumor.layers.metadata import (
    LayerKind,
    cases_among,
    region_layers,
    role_of,
    same_case,
)
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


def case_to_add(viewer: ViewerModel) -> Case | None:
    """The uppermost case of the active patient that has all four images and masks."""
    for case in reversed(list(cases_among(active_patient(viewer).layers))):
        if set(MODALITIES) <= set(case.volumes) and mask_layers(viewer, case):
            return case
    return None


def mask_layers(viewer: ViewerModel, case: Case) -> list[Labels]:
    """The layers whose masks are added: ET, TC and WT, else the case's label volume."""
    regions = list(region_layers(viewer.layers, case).values())
    if regions:
        return regions
    volume = _label_volume(viewer, case)
    return [] if volume is None else [volume]


def mask_to_add(viewer: ViewerModel, case: Case) -> Segmentation:
    """The case's masks as they are now, with all edits and what made them.

    Raises
    ------
    CaseError
        If the viewer has no masks of the case.
    OutputError
        If regions of a result are still being added.
    LabelError
        If a region has no layer, or the label volume holds values outside its scheme or its file
        lacks a class.
    """
    check_complete(region_layers(viewer.layers, case).values(), case.name)
    ensure_nesting(viewer).apply()
    segmentation = segmentation_of(viewer.layers, case)
    if segmentation is not None:
        check_regions(viewer, case)
        return segmentation
    layer = _label_volume(viewer, case)
    if layer is None:
        raise CaseError(f"{case.name} has no masks in the viewer")
    stored = np.ascontiguousarray(from_display(np.asarray(layer.data), case.grid))
    role = role_of(layer)
    assert role is not None and role.scheme is not None
    classes = SCHEMES[role.scheme].decode(stored)
    check_classes(layer.name, {*role.known, *map(TissueClass, integer_values(classes))})
    return Segmentation(case.name, classes, case.grid, made_by=made_by_of([layer]))


def check_regions(viewer: ViewerModel, case: Case) -> None:
    """Check that none of the case's regions lacks a layer: its tissue would be taught as another.

    Raises
    ------
    LabelError
        If some have layers and others do not.
    """
    present = region_layers(viewer.layers, case)
    missing = [region.name for region in Region if region not in present]
    if present and missing:
        raise LabelError(
            f"{case_title(viewer, case)} has no {list_text(missing, 'or')} layer: a network would "
            "learn that there is no such tissue; segment the case, or open a mask with all regions"
        )


def is_as_segmented(mask: Segmentation) -> bool:
    """Whether a mask is that of a network, without any edit."""
    return mask.made_by is not None and mask.made_by.is_unedited


def _label_volume(viewer: ViewerModel, case: Case) -> Labels | None:
    """The uppermost label volume of a case; a prediction is none."""
    for layer in reversed(viewer.layers):
        role = role_of(layer)
        if role is None or role.kind is not LayerKind.TISSUE_CLASSES:
            continue
        if same_case(role.case, case):
            return layer
    return None
