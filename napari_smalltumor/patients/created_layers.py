"""New labels, points and shapes that the user creates are the active patient's by name and place.

napari makes new labels of the selected layer: they have its name and its grid. That layer may be a
hidden one of another patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.patients.switching.view_state import first_selection

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

_NAME_BY_NAPARI = re.compile(r"(.+ - Labels|Labels|Points|Shapes)(?: \[\d+\])?")
"""Names of layers that the user creates; a plugin may look its own up by another name."""

_PLACE = ("scale", "rotate", "shear", "translate", "affine", "units", "axis_labels")
"""In the order in which napari composes what it is set to."""


def make_of_patient(
    layer: Layer, selected: Iterable[Layer], layers: Iterable[Layer], patient: Patient, title: str
) -> None:
    """Name a new layer after its patient; labels made of another patient's layer get its grid.

    Parameters
    ----------
    layer : Layer
        Empty, and not yet assigned.
    selected, layers : iterable of Layer
        Those that were selected when the layer was created, and all of the viewer.
    patient : Patient
    title : str
        Name of the patient, for the user.
    """
    named = _NAME_BY_NAPARI.fullmatch(layer.name)
    if named is None:
        return
    name = named[1]
    if name.endswith("Labels") and any(patient_of(x) not in (None, patient) for x in selected):
        name = "Labels"
        _put_on_images(layer, layers_of_patient(layers, patient))
    if not name.startswith(f"{title} "):
        name = f"{title} {name}"
    if name != named[1]:
        layer.name = name


def _put_on_images(labels: Labels, layers: Iterable[Layer]) -> None:
    from napari.layers import Image

    images = first_selection([layer for layer in layers if isinstance(layer, Image)])
    if not images or images[0].ndim != labels.ndim:
        return
    image = images[0]
    labels.data = np.zeros(image.data.shape[: image.ndim], labels.data.dtype)
    for name in _PLACE:
        setattr(labels, name, getattr(image, name))
