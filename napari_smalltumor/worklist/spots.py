"""Go to the places of a case that deserve a look, as the network's run has listed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from smalltumor.cohort.results import Spot

from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.navigation import move_to_voxel
from napari_smalltumor.lesions.source import LesionSource
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def show_spot(viewer: ViewerModel, spot: Spot) -> None:
    """Move canvas and planes to a spot of the active patient."""
    case = case_to_export(viewer)
    if case is not None:
        layers = region_layers(active_patient(viewer).layers, case)
        diameter = 2 * (3 * spot.mm3 / (4 * np.pi)) ** (1 / 3)
        move_to_voxel(viewer, LesionSource(case.name, layers, case), spot.centre, diameter)


def text_of_spot(spot: Spot, number: int, count: int) -> str:
    """What a spot is, such as ``Second look, 12 mm³, score 0.41 (1 of 3)``."""
    score = "" if spot.score is None else f", score {spot.score:.2f}"
    return f"{spot.kind.capitalize()}, {spot.mm3:,.0f} mm³{score} ({number} of {count})"
