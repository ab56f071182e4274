"""Which masks of the viewer can be learnt from: a case's regions, or else a label volume of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.case_files import MODALITIES
from smalltumor.errors import CaseError
from smalltumor.labels.masks import Classes
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import (
    LayerKind,
    case_of,
    cases_among,
    region_layers,
    role_of,
    same_case,
)
from napari_smalltumor.layers.nesting import keep_nested
from napari_smalltumor.layers.region_masks import segmentation_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


def case_to_learn_from(viewer: ViewerModel) -> Case | None:
    """The case the user means: that of the active layer, else the uppermost, if it has masks."""
    active = viewer.layers.selection.active
    candidates = [case_of(active)] if active is not None else []
    candidates += reversed(list(cases_among(viewer.layers)))
    for case in candidates:
        if case is not None and set(MODALITIES) <= set(case.volumes) and _has_masks(viewer, case):
            return case
    return None


def classes_to_learn_from(viewer: ViewerModel, case: Case) -> Classes:
    """The case's masks as they are now, edits and all: tissue classes (i, j, k) on its grid.

    Raises
    ------
    CaseError
        If the viewer has none.
    """
    keep_nested(viewer).apply()
    segmentation = segmentation_of(viewer.layers, case)
    if segmentation is not None:
        return segmentation.classes
    layer = _label_volume(viewer, case)
    if layer is None:
        raise CaseError(f"{case.name} has no masks to learn from")
    stored = np.ascontiguousarray(from_display(np.asarray(layer.data), case.grid))
    role = role_of(layer)
    assert role is not None and role.scheme is not None
    return SCHEMES[role.scheme].decode(stored)


def _has_masks(viewer: ViewerModel, case: Case) -> bool:
    return bool(region_layers(viewer.layers, case)) or _label_volume(viewer, case) is not None


def _label_volume(viewer: ViewerModel, case: Case) -> Labels | None:
    for layer in reversed(viewer.layers):
        role = role_of(layer)
        if role is None or role.kind != LayerKind.EXPERT:
            continue
        if same_case(role.case, case):
            return layer
    return None
