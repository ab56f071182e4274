"""Convert region layers to segmentations, and detect edits of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.made_by import MadeBy, joined
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.masks import compose_classes
from smalltumor.labels.regions import Region, TissueClass, classes_of_regions, known_regions
from smalltumor.text import list_text

from napari_smalltumor.layers.coordinates import display_shape, from_display, to_display
from napari_smalltumor.layers.metadata import checksum, region_layers, role_of

if TYPE_CHECKING:
    from napari.layers import Labels, Layer


_OF_SEVERAL = MadeBy("SEMIAUTOMATIC")
"""What made a mask whose regions are of several networks."""


def display_mask(mask: npt.NDArray[np.bool_], case: Case) -> npt.NDArray[np.uint8]:
    """Return a copy of a mask (i, j, k) as layer data: 0 and 1, with axes (I, P, L)."""
    return np.array(to_display(mask, case.grid), dtype=np.uint8, order="C")


def segmentation_of(layers: Iterable[Layer], case: Case) -> Segmentation | None:
    """Compose the case's region layers, with all edits, to one segmentation.

    The inner region has precedence, see `smalltumor.labels.masks.compose_classes`. A region
    without a layer is empty.

    Returns
    -------
    Segmentation or None
        None if the case has no region layers.
    """
    found = region_layers(layers, case)
    if not found:
        return None
    segmentation = compose({r: np.asarray(layer.data) for r, layer in found.items()}, case)
    result, made_by = result_of(found), made_by_of(found.values())
    if made_by is not None and len(found) < len(Region):
        made_by = made_by.edited
    if result is None:
        return replace(segmentation, made_by=made_by)
    return replace(
        result,
        classes=segmentation.classes,
        sources=segmentation.sources,
        made_by=made_by or _OF_SEVERAL,  # not what the run of one of them records
        known=segmentation.known,
        stored=segmentation.stored,
    )


def compose(masks: Mapping[Region, npt.NDArray[np.generic]], case: Case) -> Segmentation:
    """Compose region masks to a segmentation.

    Parameters
    ----------
    masks : mapping of Region to (I, P, L) array
        Layer data: 0 outside, any other value inside. A region without a mask is empty.
    case : Case
    """
    shape = display_shape(case.grid)
    inside = {r: masks[r] != 0 if r in masks else np.zeros(shape, dtype=bool) for r in Region}
    shown = compose_classes(inside[Region.ET], inside[Region.TC], inside[Region.WT])
    classes = from_display(shown, case.grid).copy(order="K")
    known = classes_of_regions(masks)
    stored = known if set(known_regions(known)) == set(masks) else tuple(TissueClass)
    return Segmentation(
        case.name,
        classes,
        case.grid,
        case.header,
        tuple(case.sources),
        made_of=digests_of_images(case),
        known=known,
        stored=stored,
    )


def unseen_regions(layers: Iterable[Layer], case: Case) -> list[tuple[Region, str]]:
    """Regions of a case that the user does not see, each ``missing`` or ``hidden``.

    A case without any region layer has no unseen region.
    """
    found = region_layers(layers, case)
    states = [
        (region, "missing" if region not in found else "hidden")
        for region in Region
        if region not in found or not found[region].visible
    ]
    return states if found else []


def missing_text(layers: Iterable[Layer], case: Case) -> str:
    """A warning that names the regions without a layer; empty if there are all."""
    missing = [r.upper() for r, state in unseen_regions(layers, case) if state == "missing"]
    if not missing:
        return ""
    verb = "has" if len(missing) == 1 else "have"
    return f"{list_text(missing)} {verb} no layer; measures that need it are left out"


def is_edited(layers: Iterable[Layer], case: Case) -> bool:
    """Whether the case's region layers differ from the result with which they were filled.

    Masks without a result, for example from a file, count as edited unless they are empty.
    """
    for layer in region_layers(layers, case).values():
        role = role_of(layer)
        filled = role.checksum if role is not None else None
        if np.any(layer.data) if filled is None else checksum(layer.data) != filled:
            return True
    return False


def is_outdated(layers: Iterable[Layer], case: Case) -> bool:
    """Whether images of the case were changed after one of its region layers was made."""
    roles = map(role_of, region_layers(layers, case).values())
    return any(role is not None and role.images_changed for role in roles)


def other_images_of(layers: Iterable[Layer], case: Case) -> str:
    """What is said of the file of the case's regions if it records other images; else empty."""
    roles = map(role_of, region_layers(layers, case).values())
    return next((role.other_images for role in roles if role and role.other_images), "")


def other_images_among(layers: Iterable[Layer]) -> str:
    """As `other_images_of`, of any mask among the layers of a patient, such as an expert's."""
    roles = map(role_of, layers)
    return next((role.other_images for role in roles if role and role.other_images), "")


def mask_warnings_among(layers: Iterable[Layer]) -> list[str]:
    """What is to be known of masks among the layers of a patient as long as they are open.

    That a file records other images, and that labels do not lie where the tumour is; of regions,
    the Segment dock says where they lie now.
    """
    roles = [role for role in map(role_of, layers) if role is not None]
    texts = [*(role.other_images for role in roles), *(role.placement for role in roles)]
    return list(dict.fromkeys(filter(None, texts)))


def fingerprint(layers: Iterable[Layer], case: Case) -> int:
    """A hash that changes when a region layer of the case is edited, added or removed."""
    existing = region_layers(layers, case)
    return hash(tuple((r.value, checksum(existing[r].data)) for r in sorted(existing)))


def volumes_ml(layers: Mapping[Region, Labels], case: Case) -> dict[Region, float]:
    """Volume of each region as its layer is now, in ml."""
    return {
        region: int(np.count_nonzero(layer.data)) * case.grid.voxel_volume / 1000
        for region, layer in layers.items()
    }


def made_by_of(layers: Iterable[Layer]) -> MadeBy | None:
    """What made the masks of region layers of a case, and whether they were edited since."""
    return joined(map(_made_by, layers))


def _made_by(layer: Layer) -> MadeBy | None:
    role = role_of(layer)
    if role is None:
        return None
    result = role.result
    made_by = role.made_by if result is None else result.made_by
    if made_by is None:
        return None
    made = role.made_checksum if result is None else role.checksum
    return made_by if checksum(layer.data) == made else made_by.edited


def read_from_among(layers: Iterable[Layer]) -> str:
    """The files that all region layers were read from, for the user; empty of any others."""
    files = {role.read_from for role in map(role_of, layers) if role is not None}
    return files.pop() if len(files) == 1 else ""


def result_of(layers: Mapping[Region, Labels]) -> Segmentation | None:
    """The network's result that filled the region layers, or None."""
    roles = [role for layer in layers.values() if (role := role_of(layer)) is not None]
    return next((role.result for role in roles if role.result is not None), None)
