"""Layers of label volumes, in the label scheme that their values and names tell."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.masks.label_files import check_tumour_size, decode_labels
from smalltumor.data.masks.label_scheme import find_scheme
from smalltumor.data.naming.file_names import is_named_as_labels
from smalltumor.data.volumes.nifti import Volume, stem
from smalltumor.errors import CaseError, LabelError
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES, LabelScheme, integer_values

from napari_smalltumor import notify
from napari_smalltumor.layers.create import LayerData, labels_layer, plain_labels_layer
from napari_smalltumor.loading.labels.placement import warn_if_misplaced


def labels_of(case: Case, volume: Volume) -> LayerData:
    """The layer of a label volume, in its scheme if that is known."""
    scheme = _scheme_of(volume, case.scheme_hint)
    if scheme is None:
        return plain_labels_layer(case, volume.data, stem(volume.path))
    return labels_in_scheme(case, volume, scheme)


def labels_in_scheme(case: Case, volume: Volume, scheme: LabelScheme) -> LayerData:
    """The layer of labels of a scheme; those of a scheme that is only read are converted."""
    classes, _ = decode_labels(volume, scheme)
    placement = warn_if_misplaced(case, volume.path.name, classes)
    made_by = recorded_made_by(volume)
    if scheme.name in SCHEMES:
        stored = volume.data.astype(np.uint8, copy=False)
        return labels_layer(case, stored, scheme, made_by=made_by, placement=placement)
    written = SCHEMES[DEFAULT_SCHEME]
    _say_what_is_left_out(volume, scheme)
    stored = written.encode(classes)
    known = scheme.known_classes
    return labels_layer(case, stored, written, made_by=made_by, placement=placement, known=known)


def _scheme_of(volume: Volume, hint: str | None) -> LabelScheme | None:
    """The scheme of a label volume; None if its values may have two meanings.

    A window, which reads in a worker, asks for the meaning; elsewhere a warning says so.
    """
    try:
        values = integer_values(volume.data)
    except LabelError as error:
        raise CaseError(f"{volume.path}: {error}") from error
    try:
        scheme = find_scheme(volume, hint=hint).scheme
    except LabelError as error:
        if error.remedy is not None and _is_told(volume, values):
            notify.warn(notify.error_text(error.prefixed(volume.path.name)))
        return None
    check_tumour_size(volume)
    return scheme


def _is_told(volume: Volume, values: Sequence[int]) -> bool:
    """Whether a warning says why a file is shown as numbers; a window asks in its place."""
    if set(values) <= {0, 1} and not is_named_as_labels(volume.path):
        return False  # a mask of anything
    asks = threading.current_thread() is not threading.main_thread()
    return bool(volume.segments) or not asks  # the question does not say what segments are named


def _say_what_is_left_out(volume: Volume, scheme: LabelScheme) -> None:
    cavity = [v for v, t in scheme.others.items() if t == 0 and np.any(volume.data == v)]
    if cavity:
        notify.warn(
            f"{volume.path.name}: {cavity[0]} is the resection cavity ({scheme.name}), which is "
            "not tumour and is left out"
        )
