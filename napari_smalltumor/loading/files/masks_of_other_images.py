"""What is said of masks that record other images than those of the open patient of their name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import is_named_after
from smalltumor.data.identity.image_digests import made_of_others
from smalltumor.data.identity.mask_names import named_case
from smalltumor.data.identity.visits import folder_of, is_name_of

from napari_smalltumor import notify
from napari_smalltumor.layers.joining import is_of_others
from napari_smalltumor.layers.metadata import case_of, cases_among
from napari_smalltumor.layers.patient import patient_of, patient_of_case
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.layers import Layer


def warn_if_of_other_images(mask: Case, file: str, layers: Iterable[Layer]) -> None:
    """Say that a mask does not join the open patient whose name and grid it has.

    Parameters
    ----------
    mask : Case
        The case of a mask alone.
    file : str
        Name of its file.
    layers : iterable of layers
        What is open.
    """
    named = [
        case
        for case in cases_among(layers)
        if _is_on_grid_of(mask, case) and (_has_name_of(mask, case) or _is_unnamed(mask))
    ]
    if named and all(is_of_others(mask, case) for case in named):
        _say(file, mask, named[0])


def warn_if_open_masks_are_of_other_images(case: Case, layers: Iterable[Layer]) -> None:
    """Say that masks that were opened before do not join a case that has their name and grid.

    Nothing is said of those that have joined a patient with images.
    """
    layers = list(layers)
    pictured = {patient_of(x) for x in layers if (shown := case_of(x)) and shown.volumes}
    for mask in cases_among(x for x in layers if patient_of(x) not in pictured):
        if _is_on_grid_of(mask, case) and _has_name_of(mask, case) and is_of_others(mask, case):
            _say(f"The mask of {mask.name}", mask, case)


def _is_on_grid_of(mask: Case, case: Case) -> bool:
    return bool(case.volumes) and case.grid.matches(mask.grid)


def _has_name_of(mask: Case, case: Case) -> bool:
    """Whether a mask is named after a case, with or without an ending such as ``_seg``."""
    is_named = is_named_after if _is_unnamed(mask) else is_name_of
    return is_named(mask.name, case.name, folder_of(case))


def _is_unnamed(mask: Case) -> bool:
    return mask.labels_path is not None and named_case(mask.labels_path) is None


def _say(file: str, mask: Case, case: Case) -> None:
    """Say it as long as the mask is a patient of its own."""
    from napari.viewer import current_viewer

    images = f"those of {case.name} ({patient_of_case(case).location})"
    text = (
        f"{made_of_others([file], images)}, such as another patient's of the same name. It is "
        "shown as a patient of its own."
    )
    viewer = current_viewer()
    notify.warn(
        text
        if viewer is None
        else active_patient(viewer).messages.about(patient_of_case(mask), text)
    )
