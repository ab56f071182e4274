"""The masks that are opened with the images of a case: exported ones, labels, and of the brain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import is_mask_of_case_beside
from smalltumor.data.identity.visits import folder_of, is_name_of
from smalltumor.data.loaded_labels import LoadedLabels
from smalltumor.data.masks.exported_masks import exported_masks_of, older_exports_text
from smalltumor.data.masks.label_files import header_warnings_of, on_grid, read_label_volume
from smalltumor.data.naming.export_names import RegionFile
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import CaseError, GridMismatchError, SmalltumorError
from smalltumor.labels.masks import Mask, compose_classes
from smalltumor.labels.regions import Region
from smalltumor.scanner.prepared.stored_case import read_brain, stored_paths
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.export.region_files import (
    OtherImagesError,
    check_made_of_case,
    layers_of_masks,
    read_regions,
)
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.masks.brain_mask import brain_mask_layer
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import patient_of_case, patients_among, titles
from napari_smalltumor.layers.titles import title_of_case
from napari_smalltumor.loading.files.real_paths import real_path
from napari_smalltumor.loading.labels.layers import labels_of
from napari_smalltumor.loading.labels.placement import warn_if_misplaced

if TYPE_CHECKING:
    from napari.layers import Layer


def exported_regions(
    case: Case, exported: RegionFile | None, layers: Sequence[Layer]
) -> list[LayerData]:
    """The regions of exported files, or no layer and a warning if they cannot be opened.

    Parameters
    ----------
    case : Case
    exported : RegionFile, optional
        The file to open; by default those beside the images.
    layers : sequence of layers
        What is open. No file is opened beside the case's regions, which may have been edited.
    """
    try:
        files = exported_masks_of(case) if exported is None else [exported]
    except SmalltumorError as error:
        notify.warn(f"{error}. Masks beside the images of {case.name} were not opened.")
        return []
    title = _title_beside(case, layers)
    if files and region_layers(layers, case):
        names = list_text(file.path.name for file in files)
        were = "was" if len(files) == 1 else "were"
        notify.warn(f"{names} {were} not opened: the regions of {title} are open already")
        return []
    masks: dict[Region, Mask] = {}
    read_from: list[Volume] = []
    for file in files:
        try:
            found, volume = read_regions(file, case, is_chosen=exported is not None)
            masks |= found
            read_from.append(volume)
        except OtherImagesError as error:  # the other regions may be of another result
            notify.warn(str(error))
            return []
        except SmalltumorError as error:
            notify.warn(str(error))
    if masks and exported is None and (older := older_exports_text(case)):
        notify.warn(f"{older[0].upper()}{older[1:]}.")
    if masks:
        _say_if_saved_under_other_name(case, files, title)
        nothing = np.zeros(case.grid.shape, dtype=bool)
        classes = compose_classes(
            *(masks.get(r, nothing) for r in (Region.ET, Region.TC, Region.WT))
        )
        warn_if_misplaced(case, list_text(volume.path.name for volume in read_from), classes)
    return layers_of_masks(case, masks, read_from)


def regions_of_mask(regions: Segmentation, case: Case, layers: Iterable[Layer]) -> list[LayerData]:
    """The regions of a mask, of a case that has none open yet."""
    if region_layers(layers, case):
        raise CaseError(
            f"{title_of_case(layers, case)} has ET, TC or WT open already; export what you need "
            "of them, and close the patient"
        )
    if not regions.grid.matches(case.grid):
        raise GridMismatchError(f"the mask of {case.name} is on another grid than its images")
    warn_if_misplaced(case, f"The mask of {case.name}", regions.classes)
    masks = {region: regions.mask(region) for region in Region}
    return layers_of_masks(case, masks, made_by=regions.made_by)


def labels_next_to(case: Case, read: Future[Volume]) -> list[LayerData]:
    """The labels of a case, or no layer and a warning if they cannot be opened."""
    try:
        volume = read.result()
        check_made_of_case(volume, case, is_chosen=False)
        for warning in header_warnings_of(volume, case):
            notify.warn(warning)
        case.loaded_labels = LoadedLabels(volume, read_label_volume)
        return [labels_of(case, on_grid(volume, case.grid, case.name))]
    except OtherImagesError as error:
        case.labels_are_of_others = True
        notify.warn(str(error))
        return []
    except SmalltumorError as error:
        notify.warn(str(error))
        return []


def brain_mask_of(case: Case) -> list[LayerData]:
    """The brain mask of a prepared scan, or no layer and a warning if it cannot be opened."""
    paths = stored_paths(case)
    if paths is None:
        return []
    try:
        volume = on_grid(read_brain(paths["brain"]), case.grid, case.name)
    except SmalltumorError as error:
        notify.warn(str(error))
        return []
    return [brain_mask_layer(case, volume.data != 0)]


def is_exported_mask_of(file: RegionFile, case: Case) -> bool:
    """Whether an exported file is the case's own, saved by this name or an earlier one."""
    path = real_path(file.path)
    return is_mask_of_case_beside(file.path, case) or any(
        path == exported.path for exported in exported_masks_of(case)
    )


def _title_beside(case: Case, layers: Iterable[Layer]) -> str:
    """Name of a case for the user, with its folder if another of the same name is open."""
    patient = patient_of_case(case)
    return titles(list({*patients_among(layers), patient}))[patient]


def _say_if_saved_under_other_name(case: Case, files: Sequence[RegionFile], title: str) -> None:
    """Name the masks of a case that had another name when they were saved."""
    folder = folder_of(case)
    names = [f.path.name for f in files if not is_name_of(f.case, case.name, folder)]
    if names:
        was, it = ("was", "it was") if len(names) == 1 else ("were", "they were")
        notify.info(
            f"{list_text(names)} {was} opened with the images of {title}, of which {it} made. "
            f"Their folder had another name when {it} saved."
        )
