"""What is asked before a scan is compared with one that is another patient's by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_key
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.errors import SmalltumorError

from napari_smalltumor import questions
from napari_smalltumor.patients.case_title import case_title

if TYPE_CHECKING:
    from napari.components import ViewerModel


def confirm_other_patients_scan(
    parent: QWidget | None, viewer: ViewerModel, case: Case, folder: Path
) -> bool:
    """Ask whether to compare with a scan whose name is not that of the patient.

    Nothing is asked of a folder whose case cannot be read: the comparison says why.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    case : Case
        The current scan.
    folder : Path
        Of the earlier scan.
    """
    try:
        earlier = find_case_files(folder).name
    except SmalltumorError:
        return True
    if patient_key(earlier) == patient_key(case.name):
        return True
    text = (
        f"By its name, {earlier} in {folder} is another patient's scan than "
        f"{case_title(viewer, case)}. What has changed between two patients means nothing.\n\n"
        "Compare anyway?"
    )
    return questions.confirm(parent, "Scan of another patient", text, "Compare anyway")
