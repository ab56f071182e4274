"""Read the mask of a file or layer as a reference on the grid of a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import check_patient, is_in_folder_of
from smalltumor.data.masks.label_contents import region_of_volume
from smalltumor.data.masks.label_files import (
    decode_labels,
    header_warnings_of,
    on_grid,
    read_label_volume,
)
from smalltumor.data.masks.label_scheme import own_scheme
from smalltumor.data.naming.export_names import region_file
from smalltumor.data.naming.find_cases import label_scheme_hint
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.labels.masks import Classes, Mask, region_mask
from smalltumor.labels.missing_classes import missing_classes_text
from smalltumor.labels.regions import Region, TissueClass, known_regions
from smalltumor.labels.schemes import SCHEMES, integer_values
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.export.region_files import check_made_of_case, read_regions
from napari_smalltumor.layers.changed_images import ChangedImagesError, no_longer_shown_text
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import case_of, role_of

if TYPE_CHECKING:
    from napari.layers import Labels

DisplayMasks = Mapping[Region, npt.NDArray[np.uint8]]
"""Masks (I, P, L) of 0 and 1, as layers hold them."""


def read_reference(path: Path, case: Case, scheme: str | None = None) -> DisplayMasks:
    """Read the regions of a mask that a case is compared with.

    Parameters
    ----------
    path : Path
        A label file, or the mask of the region that the end of its name states (``_et``).
    case : Case
    scheme : str, optional
        Name of the label scheme, by default that of the file's header, values and name. Beside the
        images, the names of these count as well.

    Raises
    ------
    CaseError
        If the file cannot be read, tells no region, is named after another patient, was made of
        other images, or lies beside others than those that are shown.
    GridMismatchError
        If it is on another grid than the case.
    LabelError
        If its values fit no label scheme.
    """
    check_patient(path, case)
    if is_in_folder_of(path, case) and case.has_changed_images:
        text = f"{no_longer_shown_text(case)}; {path.name} may be of another patient"
        raise ChangedImagesError(text)
    exported = region_file(path)
    masks = (
        _read_labels(path, case, scheme)
        if exported is None
        else read_regions(exported, case, is_chosen=True)[0]
    )
    return {region: display_mask(mask, case) for region, mask in masks.items()}


def told_regions_of_layer(layer: Labels) -> tuple[Region, ...]:
    """The regions that a layer of tissue classes tells; a warning names those that it does not.

    A class that the file of the layer does not tell apart is known if it was painted.

    Raises
    ------
    CaseError
        If the layer tells no region.
    LabelError
        If the layer holds a value that is not in its label scheme.
    """
    role = role_of(layer)
    assert role is not None
    painted = map(TissueClass, integer_values(_classes_of_layer(layer)))
    return _told_regions({*role.known, *painted}, layer.name)


def masks_of_layer(layer: Labels, regions: Iterable[Region] = Region) -> DisplayMasks:
    """Regions of a layer of tissue classes.

    Raises
    ------
    LabelError
        If the layer holds a value that is not in its label scheme.
    """
    classes = _classes_of_layer(layer)
    return {region: region_mask(classes, region).astype(np.uint8) for region in regions}


def _classes_of_layer(layer: Labels) -> Classes:
    role = role_of(layer)
    assert role is not None and role.scheme is not None
    return SCHEMES[role.scheme].decode(np.asarray(layer.data))


def check_layer(layer: Labels, case: Case) -> None:
    """Check that a layer is on the grid of a case.

    Raises
    ------
    GridMismatchError
        If it is not.
    """
    if not is_on_grid(layer, case):
        raise GridMismatchError(f"{layer.name} is on another grid than {case.name}")


def is_on_grid(layer: Labels, case: Case) -> bool:
    """Whether a layer is of a case with the same grid."""
    own = case_of(layer)
    return own is not None and own.grid.matches(case.grid)


def _read_labels(path: Path, case: Case, scheme: str | None) -> Mapping[Region, Mask]:
    volume = on_grid(read_label_volume(path), case.grid, case.name)
    check_made_of_case(volume, case, is_chosen=True)
    for warning in header_warnings_of(volume, case):
        notify.warn(warning)
    values = integer_values(volume.data)
    region = region_of_volume(volume, values)
    if region is not None:
        return {region: np.asarray(volume.data != 0)}
    if set(values) == {0, 1} and own_scheme(volume, values) is None:
        raise CaseError(f"the region of {path.name} is not known; end its name in _et, _tc or _wt")
    hint = label_scheme_hint(path) or (case.scheme_hint if is_in_folder_of(path, case) else None)
    classes, found = decode_labels(volume, scheme, hint)
    if found.contradiction:
        notify.warn(found.contradiction)
    regions = _told_regions(found.scheme.known_classes, path.name)
    return {region: region_mask(classes, region) for region in regions}


def _told_regions(known: Collection[TissueClass], name: str) -> tuple[Region, ...]:
    """The regions that a mask of this name tells; a warning names those that it does not."""
    regions = known_regions(known)
    missing = [region.upper() for region in Region if region not in regions]
    text = (
        f"{name} has {missing_classes_text(known)}, so that {list_text(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} not compared"
    )
    if not regions:
        raise CaseError(text)
    if missing:
        notify.warn(text)
    return regions
