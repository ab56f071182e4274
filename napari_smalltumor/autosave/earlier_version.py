"""What an earlier version kept of a case, by its place alone: its images may be others by now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case

from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.edit_texts import ACCEPTED, DECISIONS, EDITS
from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.masks import key_of, layer_key, masks_among
from napari_smalltumor.autosave.unedited_masks import UneditedMasks
from napari_smalltumor.case_data.kept_files import kept_file_of
from napari_smalltumor.case_data.records import images_of, record_before_images
from napari_smalltumor.layers.metadata import case_of, checksum, role_of, same_case

if TYPE_CHECKING:
    from napari.layers import Labels, Layer


def kept_by_earlier_version(case: Case, autosave: Autosave) -> dict[str, Path]:
    """What is there, as the user calls it, and its folder."""
    record = record_before_images(case)
    if record is None:
        return {}
    files = {
        DECISIONS: kept_file_of("decisions", record),
        ACCEPTED: kept_file_of("accepted", record),
    }
    folders = {what: file.parent for what, file in files.items() if file.exists()}
    edits = autosave.restorable_files_of(record)
    return {EDITS: edits[0].parent, **folders} if edits else folders


def were_made_on_shown_mask(
    case: Case,
    masks: Iterable[SavedMask],
    saved_at: float,
    layers: Iterable[Layer],
    unedited: UneditedMasks,
) -> bool:
    """Whether edits of an earlier version are certainly of the images of a case.

    They are if they began with a mask that a network has made of these images. A mask of a file may
    lie beside other images by now; it tells only if these were written before the edits.
    """
    before = {key_of(m.region, m.name): m.started for m in masks if m.started is not None}
    started = [
        layer
        for layer in masks_among(layers)
        if same_case(case_of(layer), case)
        and layer_key(layer) in before
        and before[layer_key(layer)] == unedited.checksum(layer) != _of_nothing(layer)
    ]
    return any(map(_is_of_network, started)) or bool(started and _is_older(case, saved_at))


def _of_nothing(layer: Labels) -> int:
    return checksum(np.zeros_like(layer.data))


def _is_of_network(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.result is not None and not role.images_changed


def _is_older(case: Case, saved_at: float) -> bool:
    """Whether the images were written, and came to their place, before a time."""
    try:
        times = [path.stat() for path in images_of(case).values()]
    except OSError:
        return False
    return all(max(time.st_mtime, time.st_ctime) < saved_at for time in times)
