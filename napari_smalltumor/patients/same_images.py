"""Open patients who show the same images, as a folder that was copied under another name does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images, images_in_common
from smalltumor.data.naming.case_files import role_title
from smalltumor.text import list_text

from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.active_patient import ActivePatient

if TYPE_CHECKING:
    from napari.layers import Layer

_DIGESTS: WeakKeyDictionary[Case, Mapping[str, str]] = WeakKeyDictionary()


def same_images_texts(patients: ActivePatient, layers: Iterable[Layer]) -> list[str]:
    """What the docks say if images of the active patient are open as other patients' as well.

    Parameters
    ----------
    patients : ActivePatient
    layers : iterable of layers
        All layers of the viewer.

    Returns
    -------
    list of str
        A sentence for each of the others.
    """
    if patients.current is None:
        return []
    common = _common_images(patients, layers, patients.current)
    return [
        f"The same {images} open as {patients.title_of(other)}" for other, images in common.items()
    ]


def same_images_note(patients: ActivePatient, layers: Iterable[Layer], patient: Patient) -> str:
    """What a file of a patient says of that, without the names of others; empty if none is open.

    Parameters
    ----------
    patients : ActivePatient
    layers : iterable of layers
        All layers of the viewer.
    patient : Patient
    """
    common = dict.fromkeys(_common_images(patients, layers, patient).values())
    return "; ".join(f"The same {images} open under another name" for images in common)


def _common_images(
    patients: ActivePatient, layers: Iterable[Layer], patient: Patient
) -> dict[Patient, str]:
    """Images that other open patients have in common with one, with their verb."""
    digests = _digests_by_patient(layers)
    own = digests.pop(patient, {})
    return {
        other: _images_are(common, own)
        for other, images in digests.items()
        if other in patients.patients and (common := images_in_common(own, images))
    }


def _images_are(common: list[str], own: Mapping[str, str]) -> str:
    if len(common) == len(own):
        return "images are"
    verb = "is" if len(common) == 1 else "are"
    return f"{list_text(map(role_title, common))} {verb}"


def _digests_by_patient(layers: Iterable[Layer]) -> dict[Patient, dict[str, str]]:
    found: dict[Patient, dict[str, str]] = {}
    for layer in layers:
        role, patient = role_of(layer), patient_of(layer)
        if patient is not None and role is not None and role.kind is LayerKind.IMAGE and role.case:
            found.setdefault(patient, {}).update(_digests_of(role.case))
    return found


def _digests_of(case: Case) -> Mapping[str, str]:
    """Digests of the images of a case; computed once, which takes 3 ms for a head."""
    if case not in _DIGESTS:
        _DIGESTS[case] = digests_of_images(case)
    return _DIGESTS[case]
