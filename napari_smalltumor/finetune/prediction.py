"""A held-out case and the network's current prediction of it in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalltumor.data.case import Case

from napari_smalltumor.finetune.jobs import Prediction
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import (
    LayerKind,
    cases_among,
    fill_layer,
    provenance_of,
    role_of,
    same_case,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels


def show_prediction(viewer: ViewerModel, prediction: Prediction) -> Labels:
    """Show a prediction, in the layer of the one before if there is one.

    The case's images are opened if they are not.
    """
    from napari.layers import Layer

    case, (data, attributes, kind) = prediction.case, prediction.layer
    if not any(_same_head(case, other) for other in cases_among(viewer.layers)):
        first = not viewer.layers
        for images in image_layers(case):
            viewer.add_layer(Layer.create(*images))
        if first:
            viewer.reset_view()
    layer = _layer_of(viewer, case)
    if layer is None:
        layer = viewer.add_layer(Layer.create(data, attributes, kind))
    else:
        role = provenance_of(attributes["metadata"])
        assert role is not None
        fill_layer(layer, data, role)
    return layer


def _same_head(one: Case, other: Case) -> bool:
    """Whether a case lies where another does: a copy in the training folder, and its original."""
    return one.name == other.name and one.grid.matches(other.grid)


def _layer_of(viewer: ViewerModel, case: Case) -> Labels | None:
    for layer in viewer.layers:
        role = role_of(layer)
        if role is None or role.kind != LayerKind.PREDICTION:
            continue
        if same_case(role.case, case):
            return layer  # type: ignore[return-value]
    return None
