"""A case that is opened a second time gets only the layers that it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import CaseFiles

from napari_smalltumor import notify
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.metadata import LayerRole, provenance_of, role_of, same_case
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def without_open(data: list[LayerData], layers: Iterable[Layer]) -> list[LayerData]:
    """The layers that are not open: a second T1CE would cover the regions of the first.

    Parameters
    ----------
    data : list of LayerData
        The layers of a case.
    layers : iterable of layers
        What is open.
    """
    roles = [role for layer in layers if (role := role_of(layer)) is not None]
    return [one for one in data if not any(_is_same(one, role) for role in roles)]


def show_open_case(viewer: ViewerModel, files: CaseFiles) -> None:
    """Make the patient of a case active whose layers are all open, and say so."""
    paths = {path.absolute() for found in files.modalities.values() for path in found}
    patients = active_patient(viewer)
    for layer in viewer.layers:
        role, patient = role_of(layer), patient_of(layer)
        if role is None or role.case is None or patient not in patients.patients:
            continue
        if paths & {path.absolute() for path in role.case.paths.values()}:
            patients.activate(patient)
            notify.info(f"{patients.title_of(patient)} is open already.")
            return


def _is_same(data: LayerData, role: LayerRole) -> bool:
    own = provenance_of(data[1].get("metadata", {}))
    return (
        own is not None
        and (own.kind, own.modality, own.region) == (role.kind, role.modality, role.region)
        and own.case is not None
        and same_case(own.case, role.case)
    )
