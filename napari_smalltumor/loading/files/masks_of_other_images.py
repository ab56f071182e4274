"""What is said of masks that record other images than those of the open patient of their name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import is_named_after
from smalltumor.data.identity.image_digests import SUCH_AS_ANOTHER, made_of_others
from smalltumor.data.identity.mask_names import named_case
from smalltumor.data.identity.visits import folder_of, is_name_of

from napari_smalltumor import notify
from napari_smalltumor.layers.joining import is_of_others
from napari_smalltumor.layers.metadata import case_of, cases_among, role_of, set_role
from napari_smalltumor.layers.patient import patient_of, patient_of_case
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.layers import Layer


def warn_if_of_other_images(mask: Case, file: str, layers: Iterable[Layer]) -> str:
    """Say that a mask alone records other images than those of the open patient of its name.

    Parameters
    ----------
    mask : Case
        The case of a mask alone.
    file : str
        Name of its file.
    layers : iterable of layers
        What is open.

    Returns
    -------
    str
        What its layer has to say as long as it is shown, because it lies beside the images; empty
        of a mask that is a patient of its own.
    """
    named = [
        case
        for case in cases_among(layers)
        if _is_on_grid_of(mask, case) and (_has_name_of(mask, case) or _is_unnamed(mask))
    ]
    if not named or not all(is_of_others(mask, case) for case in named):
        return ""
    beside = next((c for c in named if patient_of_case(c) == patient_of_case(mask)), None)
    return _say(file, mask, beside or named[0])


def warn_if_open_masks_are_of_other_images(case: Case, layers: Iterable[Layer]) -> None:
    """Say that masks that were opened before do not join a case that has their name and grid.

    Nothing is said of those that have joined a patient with images. Those that lie beside the
    images are shown on them, and keep saying so.
    """
    layers = list(layers)
    pictured = {patient_of(x) for x in layers if (shown := case_of(x)) and shown.volumes}
    for mask in cases_among(x for x in layers if patient_of(x) not in pictured):
        if _is_on_grid_of(mask, case) and _has_name_of(mask, case) and is_of_others(mask, case):
            text = _say(f"The mask of {mask.name}", mask, case)
            for layer in layers:
                if case_of(layer) is mask and (role := role_of(layer)) is not None:
                    set_role(layer, replace(role, other_images=text))


def _is_on_grid_of(mask: Case, case: Case) -> bool:
    return bool(case.volumes) and case.grid.matches(mask.grid)


def _has_name_of(mask: Case, case: Case) -> bool:
    """Whether a mask is named after a case, with or without an ending such as ``_seg``."""
    is_named = is_named_after if _is_unnamed(mask) else is_name_of
    return is_named(mask.name, case.name, folder_of(case))


def _is_unnamed(mask: Case) -> bool:
    return mask.labels_path is not None and named_case(mask.labels_path) is None


def _say(file: str, mask: Case, case: Case) -> str:
    """Say it as long as the mask is a patient of its own; return what its layer has to say."""
    from napari.viewer import current_viewer

    images = f"those of {case.name} ({patient_of_case(case).location})"
    text = f"{made_of_others([file], images)}, {SUCH_AS_ANOTHER}"
    if patient_of_case(mask) == patient_of_case(case):
        notify.warn(f"{text}. It is shown on them because it lies beside them: check that it fits")
        return text
    text = f"{text}. It is shown as a patient of its own."
    viewer = current_viewer()
    notify.warn(
        text
        if viewer is None
        else active_patient(viewer).messages.about(patient_of_case(mask), text)
    )
    return ""
