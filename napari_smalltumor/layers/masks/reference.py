"""Layers of the reference: masks with which the regions of a patient are compared.

They are contours in colours of their own, cannot be painted, and never count as the patient's
regions: they are not exported, listed, autosaved or trained with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.coordinates import display_transform
from napari_smalltumor.layers.metadata import LayerKind, LayerRole, ReferenceMask, role_of

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

REFERENCE_COLOURS: Mapping[Region, tuple[float, float, float]] = MappingProxyType(
    {Region.ET: (0.85, 0.85, 1.0), Region.TC: (0.90, 0.40, 1.0), Region.WT: (0.35, 0.55, 1.0)}
)
"""RGB in 0..1: bluish, whereas the regions are yellow, red and green, which a reader with a
red-green deficiency sees as yellow and brown."""

CONTOUR_WIDTH = 2
"""Wider than the outline of a region, which is drawn above it: both are seen where they agree."""


def reference_layer(case: Case, mask: npt.NDArray[np.uint8], shown: ReferenceMask) -> Labels:
    """Create a layer of the reference.

    Parameters
    ----------
    case : Case
        The case that is compared.
    mask : (I, P, L) uint8 array
        1 inside and 0 outside, on the case's grid.
    shown : ReferenceMask
    """
    from napari.layers import Labels

    colour = (*REFERENCE_COLOURS[shown.region], 1.0)
    layer = Labels(
        mask,
        name=f"{case.name} reference {shown.region.name}",
        colormap={None: colour, 0: "transparent", 1: colour},
        blending="translucent_no_depth",
        metadata=LayerRole(LayerKind.REFERENCE, case, reference=shown).metadata(),
        **display_transform(case.grid),
    )
    layer.contour = CONTOUR_WIDTH
    layer.editable = False
    return layer


def reference_of(layer: Layer) -> ReferenceMask | None:
    """What a layer of the reference shows; None for any other layer."""
    role = role_of(layer)
    return role.reference if role is not None else None


def reference_layers(layers: Iterable[Layer]) -> dict[Region, Labels]:
    """The layers of the reference among the layers of a patient."""
    return {shown.region: layer for layer in layers if (shown := reference_of(layer)) is not None}
