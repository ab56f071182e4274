"""Create image and labels layers of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.made_by import MadeBy
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.labels.regions import CLASS_COLOURS, TissueClass
from smalltumor.labels.schemes import LabelScheme

from napari_smalltumor.layers.coordinates import display_transform, to_display
from napari_smalltumor.layers.metadata import LayerKind, LayerRole, checksum

LayerData = tuple[Any, dict[str, Any], str]

SHOWN_FIRST = "t1ce"
"""Modality that is visible when a case is opened: T1CE, where lesions enhance."""

STACKING = ("flair", "t2", "t1", "t1ce")
"""Modalities in layer order, from bottom to top."""

_T1CE_MEDIANS = (0.4, 2.7)
"""Contrast limits of T1CE, as multiples of the median inside the brain."""

_BRAIN_PERCENTILES = (1.0, 99.5)
_SAMPLES = 200_000
_MIN_SAMPLES = 500


def image_layers(case: Case) -> list[LayerData]:
    """One image layer per modality of a case; T1CE is on top, and only it is visible."""
    modalities = [m for m in STACKING if m in case.volumes]
    shown = SHOWN_FIRST if SHOWN_FIRST in modalities else modalities[-1]
    return [image_layer(case, m, visible=m == shown) for m in modalities]


def image_layer(case: Case, modality: str, *, visible: bool = True) -> LayerData:
    """An image layer of one volume of a case; its modality may be unknown."""
    volume = case.volumes[modality]
    known = modality in MODALITY_TITLES
    role = LayerRole(LayerKind.IMAGE, case, modality=modality if known else None)
    attributes = {
        "name": f"{case.name} {MODALITY_TITLES[modality]}" if known else case.name,
        "colormap": "gray",
        "contrast_limits": contrast_limits(volume, modality),
        "interpolation2d": "linear",
        "visible": visible,
        "metadata": role.metadata(),
        **display_transform(case.grid),
    }
    return to_display(volume, case.grid), attributes, "image"


def labels_layer(
    case: Case,
    stored: npt.NDArray[np.uint8],
    scheme: LabelScheme,
    name: str | None = None,
    *,
    kind: LayerKind = LayerKind.TISSUE_CLASSES,
    made_by: MadeBy | None = None,
    placement: str = "",
    known: tuple[TissueClass, ...] = tuple(TissueClass),
) -> LayerData:
    """A labels layer of stored label values, coloured by tissue class.

    Parameters
    ----------
    case : Case
    stored : (i, j, k) uint8 array
        Label values of the scheme, on the case's grid.
    scheme : LabelScheme
    name : str, optional
        Name of the layer.
    kind : LayerKind
        ``TISSUE_CLASSES`` or ``PREDICTION``.
    made_by, placement, known
        As of `LayerRole`.
    """
    data = np.array(to_display(stored, case.grid), order="C")
    role = LayerRole(kind, case, scheme=scheme.name, placement=placement, known=known)
    if made_by is not None:
        role = replace(role, made_by=made_by, made_checksum=checksum(data))
    attributes = {
        "name": name or f"{case.name} labels",
        "colormap": class_colormap(scheme),
        "opacity": 0.6,
        "metadata": role.metadata(),
        **display_transform(case.grid),
    }
    return data, attributes, "labels"


def plain_labels_layer(case: Case, stored: npt.NDArray[np.generic], name: str) -> LayerData:
    """A labels layer of values without a label scheme, in napari's default colours."""
    attributes = {
        "name": name,
        "metadata": LayerRole(LayerKind.LABELS, case).metadata(),
        **display_transform(case.grid),
    }
    integers = stored if stored.dtype.kind in "ui" else stored.astype(np.int32)
    return np.array(to_display(integers, case.grid), order="C"), attributes, "labels"


def class_colormap(scheme: LabelScheme) -> dict[int | None, Any]:
    """Colour of each stored value of a scheme; other values are transparent."""
    colours: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
    for tissue, colour in CLASS_COLOURS.items():
        colours[scheme.values[tissue]] = (*colour, 1.0)
    return colours


def contrast_limits(
    volume: npt.NDArray[np.generic], modality: str | None = None
) -> tuple[float, float]:
    """Contrast limits from the voxels inside the brain, of which a subsample is used.

    Percentiles, except for T1CE: vessels and the tumour itself raise its upper percentiles, so that
    little of the window is left for a faint enhancement. The median hardly depends on them.

    Parameters
    ----------
    volume : (i, j, k) array
        Zero outside the brain.
    modality : str, optional

    Returns
    -------
    low, high : float
        low is less than high, and at most 0.4 of the median unless the image has negative values,
        so that the background is black.
    """
    step = max(1, round((volume.size / _SAMPLES) ** (1 / 3)))
    sample = volume[::step, ::step, ::step]
    if np.count_nonzero(sample) < _MIN_SAMPLES:
        sample = volume
    brain = sample[(sample != 0) & np.isfinite(sample)]
    if not brain.size:
        return 0.0, 1.0
    if modality == SHOWN_FIRST and brain.min() >= 0:
        median = float(np.median(brain))
        return _T1CE_MEDIANS[0] * median, _T1CE_MEDIANS[1] * median
    low, high = (float(x) for x in np.percentile(brain, _BRAIN_PERCENTILES))
    low = min(0.0, low)
    return (low, high) if high > low else (low, low + 1.0)
