"""Ask for the label scheme of a file whose values have several meanings, and apply it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import MAX_TUMOUR_ML
from smalltumor.data.naming.file_names import is_named_as_labels
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import SmalltumorError
from smalltumor.labels.schemes import LabelScheme, integer_values

from napari_smalltumor import notify
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import Patient, assign, patient_of
from napari_smalltumor.loading.labels.dialog import ask_scheme
from napari_smalltumor.loading.labels.layers import labels_in_scheme
from napari_smalltumor.loading.labels.scheme_choices import scheme_choices
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def ask_scheme_of_values(
    viewer: ViewerModel, path: Path, values: Iterable[int], patient: Patient | None
) -> LabelScheme | None:
    """Ask for the meaning of the values of a file; None if it has none, or none was chosen.

    The question names the patient with which the file is opened. A mask of 0 and 1 is asked about
    only if its name says that it is of the tumour.
    """
    present = set(values)
    is_asked = is_named_as_labels(path) or not present <= {0, 1}
    choices = scheme_choices(present) if is_asked else []
    if not choices:
        return None
    of = "" if patient is None else f" ({active_patient(viewer).title_of(patient)})"
    return ask_scheme(qt_main_window(viewer), f"{path.name}{of}", choices)


def ask_about_labels(viewer: ViewerModel, layers: Iterable[Layer]) -> None:
    """Ask for the scheme of each layer of labels without one, and apply it."""
    for layer in layers:
        role = role_of(layer)
        if role is None or role.kind is not LayerKind.LABELS or role.case is None:
            continue
        path = role.case.labels_path
        if path is None or layer not in viewer.layers or _is_of_brain(layer, role.case):
            continue
        values = integer_values(np.asarray(layer.data))
        scheme = ask_scheme_of_values(viewer, path, values, patient_of(layer))
        if scheme is not None and layer in viewer.layers:
            try:
                apply_scheme(viewer, layer, scheme)
            except SmalltumorError as error:
                notify.report_error(error)


def _is_of_brain(layer: Layer, case: Case) -> bool:
    """Whether more is labelled than a tumour can be."""
    labelled = np.count_nonzero(layer.data) * case.grid.voxel_volume / 1000
    return bool(labelled > MAX_TUMOUR_ML)


def apply_scheme(viewer: ViewerModel, layer: Layer, scheme: LabelScheme) -> Layer:
    """Show the labels of a file as tissue classes instead of numbers.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Labels
        A layer of the kind ``LABELS``, with a case and the path of its file.
    scheme : LabelScheme

    Returns
    -------
    Labels
        The layer in the place of the first one.

    Raises
    ------
    LabelError
        If a value is not in the scheme, or more is labelled than a tumour can be.
    """
    role = role_of(layer)
    assert role is not None and role.case is not None
    case, path = role.case, role.case.labels_path
    assert path is not None
    stored = from_display(np.asarray(layer.data), case.grid)
    volume = Volume(stored, case.grid, case.header, path)
    data, attributes, _ = labels_in_scheme(case, volume, scheme)
    case.scheme_hint = scheme.name
    return _replace(viewer, layer, data, attributes)


def _replace(viewer: ViewerModel, layer: Layer, data: object, attributes: dict[str, Any]) -> Layer:
    from napari.layers import Labels

    new, patient = Labels(data, **attributes), patient_of(layer)
    assert patient is not None
    assign(new, patient)
    with active_patient(viewer).in_background():
        viewer.layers.insert(viewer.layers.index(layer) + 1, new)  # first: a patient has layers
        new.visible = layer.visible
        viewer.layers.remove(layer)
    return new
