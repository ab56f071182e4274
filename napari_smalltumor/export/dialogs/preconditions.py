"""Questions before the regions of a case are written or used: what would be left out or not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget
from smalltumor.data.case import Case
from smalltumor.text import volume_text

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.missing_regions import without_text
from napari_smalltumor.layers.changed_images import no_longer_shown_text
from napari_smalltumor.layers.drawings import masks_beside_regions
from napari_smalltumor.layers.masks.region_masks import (
    is_outdated,
    other_images_of,
    unseen_regions,
    volumes_ml,
)
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of, same_case
from napari_smalltumor.layers.patient import layers_of_patient, patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title

if TYPE_CHECKING:
    from napari.components import ViewerModel


def confirm_regions(parent: QWidget | None, viewer: ViewerModel, case: Case, action: str) -> bool:
    """Ask about all that is wrong or left out, and return whether the user agrees to go on.

    Nothing is asked of regions that were made from the images of the case as they are in its
    files, are shown, and are the only masks of the patient.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    case : Case
    action : str
        Text of the button that goes on.
    """
    return (
        confirm_changed_images(parent, viewer, case)
        and confirm_mask_of_other_images(parent, viewer, case, action)
        and confirm_outdated_regions(parent, viewer, case, action)
        and confirm_unseen_regions(parent, viewer, case, action)
        and confirm_other_regions(parent, viewer, case, action)
        and confirm_drawings(parent, viewer, case, action)
    )


def confirm_changed_images(parent: QWidget | None, viewer: ViewerModel, case: Case) -> bool:
    """Ask to choose another folder if the files hold other images than those that are shown."""
    if not case.has_changed_images:
        return True
    text = (
        f"{case_title(viewer, case)}: {no_longer_shown_text(case)}. The regions belong to the "
        "images in the window. Files with them can be written to other folders only."
    )
    return questions.confirm(parent, "Other images in the folder", text, "Choose another folder")


def confirm_mask_of_other_images(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Ask whether to use regions that were opened from a mask of other images."""
    other = other_images_of(viewer.layers, case)
    if not other:
        return True
    title = case_title(viewer, case)
    text = (
        f"{other}. The regions of {title} in the window are from there, and may be another "
        f"patient's. A mask that is written now counts as one of {title}.\n\n{action}?"
    )
    return questions.confirm(parent, "Masks of other images", text, action)


def confirm_outdated_regions(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Ask whether to use regions that were made before an image was changed."""
    if not is_outdated(viewer.layers, case):
        return True
    title = case_title(viewer, case)
    text = (
        f"{title}: the images were changed after this segmentation, so its regions may not fit. To "
        f"update them, cancel and segment the case again.\n\n{action}?"
    )
    return questions.confirm(parent, "Segmentation of earlier images", text, action)


def confirm_unseen_regions(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Ask about regions that are missing or hidden, and return whether the user agrees to go on.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    case : Case
        A case without any region layer, such as one with an expert's mask, needs no question.
    action : str
        Text of the button that goes on.
    """
    unseen = unseen_regions(viewer.layers, case)
    if not unseen:
        return True
    title = case_title(viewer, case)
    volumes = volumes_ml(region_layers(viewer.layers, case), case)
    missing = {region for region, state in unseen if state == "missing"}
    states = [
        f"{region.name} is {state}: "
        + (
            without_text(region, missing)
            if state == "missing"
            else f"its {volume_text(volumes[region])} ml are included anyway"
        )
        for region, state in unseen
    ]
    text = f"{title}: {'. '.join(states)}.\n\n{action}?"
    return questions.confirm(parent, "Missing or hidden regions", text, action)


def confirm_other_regions(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Ask whether to leave out other regions of the patient, such as those of a file."""
    patient = patient_of_shown_case(viewer.layers, case)
    regions = [x for x in layers_of_patient(viewer.layers, patient) if region_of(x) is not None]
    used = [x.name for x in regions if same_case(case_of(x), case)]
    others = [x.name for x in regions if not same_case(case_of(x), case)]
    if not others:
        return True
    text = (
        f"{active_patient(viewer).title_of(patient)} has regions more than once: "
        f"{', '.join(used)} will be used, and {', '.join(others)} left out. To use the others, "
        f"cancel and remove the first.\n\n{action}?"
    )
    return questions.confirm(parent, "Regions that are left out", text, action)


def confirm_drawings(parent: QWidget | None, viewer: ViewerModel, case: Case, action: str) -> bool:
    """Ask whether to leave out masks that were painted beside the regions, such as in a copy."""
    patient = patient_of_shown_case(viewer.layers, case)
    names = masks_beside_regions(viewer.layers, patient)
    if not names:
        return True
    which = f"{', '.join(names)} {'is not a region' if len(names) == 1 else 'are not regions'}"
    text = (
        f"{active_patient(viewer).title_of(patient)}: {which} and will be left out; to save what "
        f"is painted there, use File > Save Selected Layers.\n\n{action}?"
    )
    return questions.confirm(parent, "Labels that are left out", text, action)
