"""The name of a case for the user, which tells it from an open case of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalltumor.data.identity.visits import name_with_visit
from smalltumor.files.names import safe_name

from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from smalltumor.data.case import Case


def case_title(viewer: ViewerModel, case: Case) -> str:
    """Name of a case that is shown, with its folder if another patient has the same name."""
    return active_patient(viewer).title_of(patient_of_shown_case(viewer.layers, case))


def name_for_files(viewer: ViewerModel, case: Case) -> str:
    """The beginning of the names of files of a case that is shown: it tells visits apart.

    If folders state no visit, it is told apart from open patients of the same name only.
    """
    patient = patient_of_shown_case(viewer.layers, case)
    patients = active_patient(viewer).patients
    name = name_with_visit(patient.name, patient.folder)
    others = (name_with_visit(p.name, p.folder) for p in patients if p != patient)
    return safe_name(case_title(viewer, case)) if name in others else name


def with_title(title: str, name: str, text: str) -> str:
    """A text that names a case, such as an error, after the title if that tells more."""
    return text if title == name else f"{title}: {text}"
