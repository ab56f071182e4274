"""Predict a validation case with a run's current network, and show the result as a layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.case_files import CaseFiles, find_cases
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.labels.schemes import SCHEMES
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor.layers.create import image_layers, labels_layer
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

    from napari_smalltumor.layers.create import LayerData

_SCHEME = SCHEMES["brats2023"]


@dataclass(frozen=True)
class Prediction:
    """A validation case and its prediction by the current network of a run.

    Parameters
    ----------
    case : Case
    layer : LayerData
        Labels layer of the prediction.
    text : str
        Which network predicted it, for the user.
    """

    case: Case
    layer: LayerData
    text: str


def predict(run: Path, name: str, device: str) -> Prediction:
    """Segment a validation case with the network that a run saved last.

    Touches neither widgets nor layers, so that a worker thread can call it.

    Parameters
    ----------
    run : Path
        The run folder.
    name : str
        Name of the case.
    device : str

    Raises
    ------
    SmalltumorError
        If the run has saved no network, or the case cannot be read or segmented.
    """
    from smalltumor.data.case import read_case_files
    from smalltumor.inference import segment
    from smalltumor.training.runs.current_weights import current_checkpoint

    case = read_case_files(_files_of(run, name))
    checkpoint = current_checkpoint(run)
    # OpenVINO would take longer to compile the network than PyTorch takes to run it once.
    segmentation = segment(case, checkpoint, device=device, backend="torch")
    layer = labels_layer(
        case,
        _SCHEME.encode(segmentation.classes),
        _SCHEME,
        prediction_name(case.name),
        kind=LayerKind.PREDICTION,
    )
    limits = checkpoint.card.get("limits")
    text = f"{name}: prediction after step {checkpoint.card['step']}"
    return Prediction(case, layer, f"{text} ({limits})" if limits else text)


def prediction_name(case: str) -> str:
    """Name of the prediction's layer for the name of its case."""
    return f"{case} in training"


def show_prediction(viewer: ViewerModel, prediction: Prediction) -> Labels:
    """Show a prediction; a later one of the same case replaces the data of its layer.

    The case's images are added unless they are open.
    """
    from napari.layers import Layer

    case, (data, attributes, kind) = prediction.case, prediction.layer
    if not any(_same_images(case, other) for other in cases_among(viewer.layers)):
        first = not viewer.layers
        for images in image_layers(case):
            viewer.add_layer(Layer.create(*images))
        if first:
            viewer.reset_view()
    layer = _prediction_layer(viewer, case)
    if layer is None:
        layer = viewer.add_layer(Layer.create(data, attributes, kind))
    else:
        role = provenance_of(attributes["metadata"])
        assert role is not None
        fill_layer(layer, data, role)
    return layer


def _files_of(run: Path, name: str) -> CaseFiles:
    """The files of a case in the folders that a run was started with."""
    config = RunFolder(run).read_config()
    for key in ("validation", "data"):
        folder = config.get(key)
        if not folder:
            continue
        try:
            found = [files for files in find_cases(Path(folder)) if files.name == name]
        except SmalltumorError:
            continue
        if found:
            return found[0]
    raise CaseError(f"{name} is no longer in the folders that the run was started with")


def _same_images(one: Case, other: Case) -> bool:
    """Whether two cases have the same name and grid, such as a copy and its original."""
    return one.name == other.name and one.grid.matches(other.grid)


def _prediction_layer(viewer: ViewerModel, case: Case) -> Labels | None:
    for layer in viewer.layers:
        role = role_of(layer)
        if role is None or role.kind is not LayerKind.PREDICTION:
            continue
        if same_case(role.case, case):
            return layer  # type: ignore[return-value]
    return None
