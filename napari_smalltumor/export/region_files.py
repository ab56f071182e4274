"""Read exported masks again, as ET, TC and WT that can be edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import (
    changed_images,
    digests_of_images,
    recorded_images,
)
from smalltumor.data.identity.mask_images import other_images_text
from smalltumor.data.identity.mask_names import is_mask_of_case_beside
from smalltumor.data.made_by import MadeBy, joined, recorded_made_by
from smalltumor.data.masks.label_contents import mask_of_region
from smalltumor.data.masks.label_files import on_grid, read_label_volume
from smalltumor.data.masks.label_scheme import own_scheme
from smalltumor.data.naming.export_names import RegionFile
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError
from smalltumor.labels.masks import Classes, Mask, region_mask
from smalltumor.labels.missing_classes import missing_classes_text
from smalltumor.labels.regions import REGION_CLASSES, Region, known_regions
from smalltumor.labels.schemes import SCHEMES, LabelScheme, detect_scheme, integer_values
from smalltumor.text import list_text

from napari_smalltumor import notify, settings
from napari_smalltumor.export.file_times import written_text
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.masks.regions import OUTERMOST_FIRST, region_layer
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of

if TYPE_CHECKING:
    from napari.layers import Layer


class OtherImagesError(CaseError):
    """A mask records other images than those of its case."""


def read_regions(
    file: RegionFile, case: Case | None = None, *, is_chosen: bool
) -> tuple[dict[Region, Mask], Volume]:
    """Read the masks of the regions that an exported file tells, (i, j, k) bool.

    Parameters
    ----------
    file : RegionFile
    case : Case, optional
        The case whose grid the file must have, and of whose images it must be.
    is_chosen : bool
        As for `check_made_of_case`.

    Raises
    ------
    CaseError
        If the file is damaged, or `check_made_of_case` refuses it.
    GridMismatchError
        If it is on another grid.
    LabelError
        If its values fit no label scheme.
    """
    volume = read_label_volume(file.path)
    if case is not None:
        volume = on_grid(volume, case.grid, "the images")
        check_made_of_case(volume, case, is_chosen=is_chosen)
    if file.region is not None:
        return {file.region: mask_of_region(volume, file.region)}, volume
    scheme = _scheme_of(file.path, volume)
    classes = scheme.decode(volume.data)
    return {r: region_mask(classes, r) for r in _regions_told(file.path, scheme, classes)}, volume


def _regions_told(path: Path, scheme: LabelScheme, classes: Classes) -> Sequence[Region]:
    """The regions that a label file tells; all, with a warning, if these do not show all of it."""
    told = known_regions(scheme.known_classes)
    shown = {tissue for region in told for tissue in REGION_CLASSES[region]}
    if set(integer_values(classes)) - {0} <= shown:
        return told
    missing = missing_classes_text(scheme.known_classes)
    notify.warn(f"{path.name} has {missing}; the regions are shown as if there were none")
    return tuple(Region)


def check_made_of_case(volume: Volume, case: Case, *, is_chosen: bool) -> None:
    """Check that the file of a mask does not record other images than those of a case.

    The case's own mask beside its images is a warning if the user has chosen it: the images may
    have been prepared again.

    Parameters
    ----------
    volume : Volume
    case : Case
    is_chosen : bool
        Whether the user has named the file, and not only the images or their folder.

    Raises
    ------
    OtherImagesError
        If another file does, or one that nobody has chosen.
    """
    text = other_images_text([volume], case)
    if not text:
        return
    if not is_mask_of_case_beside(volume.path, case):
        raise OtherImagesError(f"{text}, and was not opened with them")
    text = f"{text}. They may also be these images before they were prepared again"
    if not is_chosen:
        raise OtherImagesError(
            f"{text}. It was not opened. To see it, open {volume.path.name} by itself, and check "
            "that it fits"
        )
    notify.warn(f"{text}. It was opened because you chose it: check that it fits")


def layers_of_masks(
    case: Case,
    masks: Mapping[Region, Mask],
    read_from: Sequence[Volume] = (),
    made_by: MadeBy | None = None,
) -> list[LayerData]:
    """Region layers of masks on the case's grid, the outermost first.

    Parameters
    ----------
    case : Case
    masks : mapping of Region to (i, j, k) bool array
    read_from : sequence of Volume
        The files of the masks. The layers remember if these record other images, or images that
        were changed since.
    made_by : MadeBy, optional
        What made the masks; by default what the files record.
    """
    other, files = other_images_text(read_from, case), _files_text(read_from)
    present = [region for region in OUTERMOST_FIRST if region in masks]
    made_by = made_by or joined(map(recorded_made_by, read_from))
    images = digests_of_images(case)
    is_changed = any(changed_images(recorded_images(volume), images) for volume in read_from)
    return [
        region_layer(
            case, r, np.asarray(masks[r]), other, made_by, files, images_changed=is_changed
        )
        for r in present
    ]


def _files_text(volumes: Iterable[Volume]) -> str:
    """Names of files, and when they were written; of several, the last time."""
    paths = [volume.path for volume in volumes]
    return ", ".join(filter(None, (list_text(p.name for p in paths), written_text(paths))))


def _scheme_of(path: Path, volume: Volume) -> LabelScheme:
    """The header's scheme, else the one that is set for exports if it fits, else one that fits."""
    values = set(integer_values(volume.data)) - {0}
    own = own_scheme(volume, values)
    if own is not None:
        return own.scheme
    fitting = [s for s in SCHEMES.values() if values <= set(s.values)]
    if not fitting:
        return detect_scheme(values)  # raises the error
    preferred = settings.get("scheme")
    scheme = next((s for s in fitting if s.name == preferred), fitting[0])
    if values and any(s.name == "msd" for s in fitting) and len(fitting) > 1:
        notify.warn(
            f"{path.name} was read with the label scheme {scheme.name}. If another one was set "
            "when it was exported, choose it under Label scheme in the Segment dock and open the "
            "file again."
        )
    return scheme


def check_no_regions(name: str, existing: Mapping[Region, object], file: RegionFile) -> None:
    """Check that a file does not hold regions that are open and may have been edited.

    Raises
    ------
    CaseError
        That says which layers must be removed first.
    """
    regions = [r for r in Region if r in existing and file.region in (None, r)]
    if regions:
        names = list_text(region.name for region in regions)
        raise CaseError(
            f"{file.path.name} was not opened, because {name} has {names} already; export and "
            "remove these layers first"
        )


def check_region_is_new(layer: Layer, others: Iterable[Layer]) -> None:
    """Check that a region that was read is not open by now, made by a network meanwhile.

    Raises
    ------
    CaseError
        If one of the other layers is the same region of the same case.
    """
    region, case = region_of(layer), case_of(layer)
    if region is not None and case is not None and region in region_layers(others, case):
        raise CaseError(
            f"{layer.name} was made while its file was read, which was therefore not opened; "
            "to open it, export and remove the regions first"
        )
