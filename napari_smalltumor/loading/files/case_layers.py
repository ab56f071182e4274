"""Layers of a case, of its images and of the masks that are opened with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.identity.visits import is_name_of
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.naming.case_files import MODALITY_TITLES, CaseFiles
from smalltumor.data.naming.export_names import RegionFile
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.read_case import read_case_files
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import Volume, is_image_name
from smalltumor.errors import SmalltumorError
from smalltumor.files.listings import entries

from napari_smalltumor import notify
from napari_smalltumor.export.region_files import (
    check_no_regions,
    layers_of_masks,
    read_regions,
)
from napari_smalltumor.layers.create import STACKING, LayerData, image_layers
from napari_smalltumor.layers.metadata import cases_among, region_layers, same_case
from napari_smalltumor.layers.titles import title_of_case
from napari_smalltumor.loading.files.already_open import layer_of_file, named_as_open, without_open
from napari_smalltumor.loading.files.case_masks import (
    brain_mask_of,
    exported_regions,
    is_exported_mask_of,
    labels_next_to,
    regions_of_mask,
)
from napari_smalltumor.loading.files.masks_of_other_images import (
    warn_if_of_other_images,
    warn_if_open_masks_are_of_other_images,
)
from napari_smalltumor.loading.files.real_paths import real_path, with_real_paths
from napari_smalltumor.loading.files.replaced_files import check_case_unchanged
from napari_smalltumor.loading.files.single_file import (
    layer_of_volume,
    read_single_file,
    single_file_case,
)

if TYPE_CHECKING:
    from napari.layers import Layer


def layers_of_case(
    files: CaseFiles,
    *,
    exported: RegionFile | None = None,
    layers: Iterable[Layer] = (),
    with_labels: bool = True,
    regions: Segmentation | None = None,
    with_contents: bool = False,
) -> list[LayerData]:
    """Read a case's files as layers: its images, and its labels if it has any.

    Masks that were exported beside the images are opened as ET, TC and WT, and hide an expert's
    labels. If modalities are missing, the others are opened, with a warning that names the missing
    ones; without T1CE, they do not form a case.

    Parameters
    ----------
    files : CaseFiles
    exported : RegionFile, optional
        The exported file to open; by default those beside the images.
    layers : iterable of layers, optional
        What is open. Layers of the case that are among them are not opened again. If the case has
        regions there, these may have been edited, and no exported mask is opened beside them.
    with_labels : bool
        Whether an expert's labels are opened. The case knows their file in any event.
    regions : Segmentation, optional
        Opened as ET, TC and WT instead of an exported file.
    with_contents : bool
        As for `smalltumor.data.read_case.read_case_files`.

    Raises
    ------
    CaseError
        If files are missing or damaged, or the case has other regions open than `regions`.
    GridMismatchError
        If `regions` is on another grid.
    """
    layers = list(layers)
    files = named_as_open(with_real_paths(files), layers)
    check_case_unchanged(files, layers)
    if files.modalities and REFERENCE in files.missing:
        return _layers_of_incomplete_case(files, layers)
    case, read = _read(files, with_labels=with_labels, with_contents=with_contents)
    if not any(same_case(case, other) for other in cases_among(layers)):  # else it was told
        _say_what_is_missing(files)
        for warning in case.warnings:
            notify.warn(warning)
        warn_if_open_masks_are_of_other_images(case, layers)
    labels = [layer for each in read for layer in labels_next_to(case, each)]
    masks = (
        exported_regions(case, exported, layers)
        if regions is None
        else regions_of_mask(regions, case, layers)
    )
    if masks:
        for _, attributes, _ in labels:
            attributes["visible"] = False
    return without_open(image_layers(case) + brain_mask_of(case) + labels + masks, layers)


def _read(
    files: CaseFiles, *, with_labels: bool, with_contents: bool
) -> tuple[Case, list[Future[Volume]]]:
    """Read the images of a case, and its labels in parallel with them."""
    with ThreadPoolExecutor(1) as pool:
        labels = [pool.submit(read_label_volume, p) for p in (files.labels if with_labels else [])]
        case = read_case_files(files, allow_missing=True, with_contents=with_contents)
    return case, labels


def _say_what_is_missing(files: CaseFiles) -> None:
    """Name the modalities without an image, when the others have been read."""
    if files.modalities and files.missing:
        missing = " and no ".join(MODALITY_TITLES[m] for m in files.missing)
        notify.warn(f"{files.name} has no {missing} image; the other images were opened")


def layers_of_export(file: RegionFile, layers: Sequence[Layer]) -> list[LayerData]:
    """The regions of an exported file, with the images beside it unless these are open.

    Parameters
    ----------
    file : RegionFile
    layers : sequence of layers
        What is open.
    """
    case = next((c for c in cases_among(layers) if is_exported_mask_of(file, c)), None)
    if case is not None:
        check_no_regions(title_of_case(layers, case), region_layers(layers, case), file)
        masks, volume = read_regions(file, case, is_chosen=True)
        return layers_of_masks(case, masks, [volume])
    folder = real_path(file.path).parent
    for files in group_files(filter(is_image_name, entries(folder))):
        is_case = files.modalities and files.problem(allow_missing=True) is None
        if is_name_of(file.case, files.name, folder) and is_case:
            return layers_of_case(files, exported=file, layers=layers)
    masks, volume = read_regions(file, is_chosen=True)
    alone = single_file_case(file.case, volume)
    alone.folder = folder
    warn_if_of_other_images(alone, file.path.name, layers)
    return layers_of_masks(alone, masks)


def _layers_of_incomplete_case(files: CaseFiles, layers: list[Layer]) -> list[LayerData]:
    """The images and labels of a case without T1CE that no layer shows yet."""
    paths = [p for m in STACKING for p in files.modalities.get(m, ())]
    images = [read_single_file(path) for path in _not_open(paths, layers)]
    for _, attributes, _ in images[:-1]:
        attributes["visible"] = False
    paths = _not_open(files.labels, layers)
    found = images + [layer for path in paths for layer in _single_file_labels(path)]
    if found:
        _say_what_is_missing(files)
    return found


def _not_open(paths: Iterable[Path], layers: list[Layer]) -> list[Path]:
    return [path for path in paths if layer_of_file(layers, path) is None]


def _single_file_labels(path: Path) -> list[LayerData]:
    """The labels of an incomplete case, or no layer and a warning if they cannot be opened."""
    try:
        return [layer_of_volume(read_label_volume(path))]
    except SmalltumorError as error:
        notify.warn(str(error))
        return []
