"""Files that are named after another patient than the one whose data they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.identity.case_names import is_named_after, states_other_case

from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def other_name_text(
    viewer: ViewerModel, patient: Patient, path: Path, content: str, ending: str = ""
) -> str:
    """A sentence about a file that is named after another patient or scan; else empty.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
        Whose file it is.
    path : Path
    content : str
        What the file holds, in the plural, such as ``regions``.
    ending : str
        How names of such files end: ``_follow-up`` would be the name of a visit elsewhere.
    """
    name = path.stem.removesuffix(ending) + path.suffix
    if is_named_after(name, patient.name, patient.folder):
        return ""
    patients = active_patient(viewer)
    others = [p for p in patients.patients if p != patient]
    named = next((p for p in others if is_named_after(name, p.name, p.folder)), None)
    if named is not None:
        whose = f"{patients.title_of(named)}, who is open, too"
    elif states_other_case(name, patient.name):
        whose = "another patient or scan"
    else:
        return ""
    title = patients.title_of(patient)
    return f"{path.name} is named after {whose}, but the {content} in it are those of {title}."
