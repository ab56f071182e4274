"""Predict a validation case with a run's current network, and show the result as a layer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.names import same_name
from smalltumor.labels.schemes import SCHEMES
from smalltumor.training.data.collected_case import same_voxels
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers, labels_layer
from napari_smalltumor.layers.metadata import (
    LayerKind,
    case_of,
    fill_layer,
    role_of,
    same_case,
    source_role_of,
)
from napari_smalltumor.layers.patient import Patient, patient_of, patient_of_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.messages import while_not_active

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
    from smalltumor.data.read_case import read_case_files
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


def show_prediction(
    viewer: ViewerModel, prediction: Prediction, *, background: bool = False
) -> Labels:
    """Show a prediction; a later one of the same case replaces the data of its layer.

    The case's images are added unless they are open. The patient becomes active. The layer cannot
    be edited.

    Parameters
    ----------
    viewer : ViewerModel
    prediction : Prediction
    background : bool
        Leave the active patient active; the layers of another one are hidden until it is active.
    """
    patients = active_patient(viewer)
    patient = _patient_with_images(viewer, prediction.case)
    if patient is not None and patient != patient_of_case(prediction.case):
        prediction.case.folder = patient.folder  # the layer's role holds the same case
    with patients.in_background() if background else nullcontext():
        if patient is None:
            _add_images(viewer, prediction.case)
        layer = _show_layer(viewer, prediction)
    shown = patient_of_case(prediction.case)
    if not background and shown in patients.patients:
        patients.activate(shown)
    if shown != patients.current:
        title = patients.title_of(shown)
        text = f"{title} is predicted. Choose it under Patient to see the prediction."
        notify.info(patients.messages.about(shown, text, while_not_active(shown)))
    return layer


def is_closed_since(viewer: ViewerModel, case: Case, earlier: Iterable[Patient]) -> bool:
    """Whether the user has closed a case since certain patients were open."""
    named = {patient for patient in earlier if same_name(patient.name, case.name)}
    still_open = named <= set(active_patient(viewer).patients)
    return not still_open and _patient_with_images(viewer, case) is None


def _add_images(viewer: ViewerModel, case: Case) -> None:
    from napari.layers import Layer

    first = not viewer.layers
    for images in image_layers(case):
        viewer.add_layer(Layer.create(*images))
    if first:
        viewer.reset_view()


def _show_layer(viewer: ViewerModel, prediction: Prediction) -> Labels:
    from napari.layers import Layer

    data, attributes, kind = prediction.layer
    layer = _prediction_layer(viewer, prediction.case)
    if layer is None:
        layer = viewer.add_layer(Layer.create(data, attributes, kind))
    else:
        role = source_role_of(attributes["metadata"])
        assert role is not None
        fill_layer(layer, data, role)
    layer.editable = False  # the next prediction takes its place
    return layer


def _files_of(run: Path, name: str) -> CaseFiles:
    """The files of a case in the folders that a run was started with."""
    config, unread = RunFolder(run).read_config(), ""
    for key in ("validation_folder", "data"):
        folder = config.get(key)
        if not folder:
            continue
        try:
            found = [files for files in find_cases(Path(folder)) if files.name == name]
        except SmalltumorError as error:
            unread = unread or str(error)
            continue
        if found:
            return found[0]
    if unread:
        raise CaseError(f"{name} was not found: {unread}")
    raise CaseError(f"{name} is no longer in the folders that the run was started with")


def _patient_with_images(viewer: ViewerModel, case: Case) -> Patient | None:
    """The open patient that has the same name and images, such as those that were copied."""
    for layer in viewer.layers:
        other = case_of(layer)
        if other is None or not same_name(other.name, case.name):
            continue
        image = other.volumes.get(REFERENCE)
        if image is None or not other.grid.matches(case.grid):
            continue
        if same_voxels(image, case.volumes[REFERENCE]):
            return patient_of(layer)
    return None


def _prediction_layer(viewer: ViewerModel, case: Case) -> Labels | None:
    for layer in viewer.layers:
        role = role_of(layer)
        if role is None or role.kind is not LayerKind.PREDICTION:
            continue
        if same_case(role.case, case):
            return layer
    return None
