"""Open cases whose masks are others than in the training folder, as they are after an edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.errors import SmalltumorError
from smalltumor.training.data.collected_case import collected_masks

from napari_smalltumor.finetune.cases.training_masks import (
    is_as_segmented,
    mask_layers,
    mask_to_add,
)
from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.patients.case_title import case_title

if TYPE_CHECKING:
    from napari.viewer import Viewer


def cases_with_other_masks(viewer: Viewer, folder: Path) -> list[str]:
    """Titles of the cases whose masks differ from those in a training folder.

    Masks that a network made and nobody has edited do not count: those in the folder may be their
    corrections.
    """
    return [case_title(viewer, case) for case in _cases(viewer) if _differs(viewer, case, folder)]


def _cases(viewer: Viewer) -> Iterator[Case]:
    for case in list(cases_among(viewer.layers)):
        if set(MODALITIES) <= set(case.volumes) and mask_layers(viewer, case):
            yield case


def _differs(viewer: Viewer, case: Case, folder: Path) -> bool:
    try:
        mask = mask_to_add(viewer, case)
        if is_as_segmented(mask):
            return False
        collected = collected_masks(folder, case)
    except SmalltumorError:  # they cannot be added, which is said when that is tried
        return False
    return collected is not None and not np.array_equal(mask.classes, collected)
