"""Layers of a case: its images, its labels, and masks that were exported beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.identity.mask_names import is_beside
from smalltumor.data.label_files import header_warnings_of, on_grid, read_label_volume
from smalltumor.data.labels_read import LabelsRead
from smalltumor.data.naming.case_files import MODALITY_TITLES, CaseFiles
from smalltumor.data.naming.exported_masks import RegionFile
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.own_masks import own_masks_of
from smalltumor.data.read_case import read_case_files
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import Volume, is_image_name
from smalltumor.errors import CaseError, GridMismatchError, SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import Region
from smalltumor.scanner.preparation.stored_case import read_brain, stored_paths

from napari_smalltumor import notify
from napari_smalltumor.export.region_files import (
    check_images,
    check_no_regions,
    layers_of_masks,
    read_regions,
)
from napari_smalltumor.layers.brain_mask import brain_mask_layer
from napari_smalltumor.layers.create import STACKING, LayerData, image_layers
from napari_smalltumor.layers.metadata import cases_among, region_layers, same_case
from napari_smalltumor.layers.patient import patient_of_case, patients_among, titles
from napari_smalltumor.layers.titles import title_of_case
from napari_smalltumor.loading.already_open import layer_of_file, named_as_open, without_open
from napari_smalltumor.loading.labels.layers import labels_of
from napari_smalltumor.loading.other_images import (
    say_if_of_others,
    say_if_open_masks_are_of_others,
)
from napari_smalltumor.loading.real_paths import real_path, with_real_paths
from napari_smalltumor.loading.replaced_files import check_case_unchanged
from napari_smalltumor.loading.single_file import (
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
    if files.modalities and files.missing:
        alone = _layers_of_incomplete_case(files, layers) if REFERENCE in files.missing else None
        if alone == []:
            return alone
        if alone is not None:
            _say_what_is_missing(files)
            return alone
    with ThreadPoolExecutor(1) as pool:  # in parallel with the images
        paths = files.labels if with_labels else []
        labels = [pool.submit(read_label_volume, path) for path in paths]
        case = read_case_files(files, allow_missing=True, with_contents=with_contents)
    if not any(same_case(case, other) for other in cases_among(layers)):  # else it was told
        _say_what_is_missing(files)
        for warning in case.warnings:
            notify.warn(warning)
        say_if_open_masks_are_of_others(case, layers)
    stored = [layer for read in labels for layer in _labels_next_to(case, read)]
    if regions is not None:
        return without_open(image_layers(case) + _brain_mask_of(case), layers) + _layers_of(
            regions, case, layers
        )
    title = _title_beside(case, layers)
    written = own_masks_of(case) if exported is None else [exported]
    if written and region_layers(layers, case):
        names = " and ".join(file.path.name for file in written)
        were = "was" if len(written) == 1 else "were"
        notify.warn(f"{names} {were} not opened: the regions of {title} are open already")
        written = []
    opened = _exported_regions(case, written)
    if opened:
        _say_if_saved_under_other_name(case, written, title)
        for _, attributes, _ in stored:
            attributes["visible"] = False
    return without_open(image_layers(case) + _brain_mask_of(case) + stored + opened, layers)


def _say_if_saved_under_other_name(case: Case, files: Sequence[RegionFile], title: str) -> None:
    """Name the masks of a case that had another name when they were saved."""
    names = [f.path.name for f in files if safe_name(f.case) != safe_name(case.name)]
    if names:
        was, it = ("was", "it was") if len(names) == 1 else ("were", "they were")
        notify.info(
            f"{' and '.join(names)} {was} opened with the images of {title}, of which {it} made. "
            f"Their folder had another name when {it} saved."
        )


def _say_what_is_missing(files: CaseFiles) -> None:
    """Name the modalities without an image, when the others have been read."""
    if files.modalities and files.missing:
        missing = " and no ".join(MODALITY_TITLES[m] for m in files.missing)
        notify.warn(f"{files.name} has no {missing} image; the other images were opened")


def _title_beside(case: Case, layers: Iterable[Layer]) -> str:
    """Name of a case for the user, with its folder if another of the same name is open."""
    patient = patient_of_case(case)
    return titles(list({*patients_among(layers), patient}))[patient]


def layers_of_export(file: RegionFile, layers: Sequence[Layer]) -> list[LayerData]:
    """The regions of an exported file, with the images beside it unless these are open.

    Parameters
    ----------
    file : RegionFile
    layers : sequence of layers
        What is open.
    """
    case = next((c for c in cases_among(layers) if _is_own(file, c)), None)
    if case is not None:
        check_no_regions(title_of_case(layers, case), region_layers(layers, case), file)
        masks, _ = read_regions(file, case)
        return layers_of_masks(case, masks)
    folder = real_path(file.path).parent
    for files in group_files(p for p in sorted(folder.iterdir()) if is_image_name(p)):
        is_case = files.modalities and files.problem(allow_missing=True) is None
        if safe_name(files.name) == file.case and is_case:
            return layers_of_case(files, exported=file, layers=layers)
    masks, volume = read_regions(file)
    alone = single_file_case(file.case, volume)
    alone.folder = folder
    say_if_of_others(alone, file.path.name, layers)
    return layers_of_masks(alone, masks)


def _is_own(file: RegionFile, case: Case) -> bool:
    """Whether an exported file is the case's own, saved by this name or an earlier one."""
    path = real_path(file.path)
    return is_beside(file, case) or any(path == own.path for own in own_masks_of(case))


def _brain_mask_of(case: Case) -> list[LayerData]:
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


def _layers_of(regions: Segmentation, case: Case, layers: Iterable[Layer]) -> list[LayerData]:
    """The regions of a mask, of a case that has none open yet."""
    if region_layers(layers, case):
        raise CaseError(
            f"{title_of_case(layers, case)} has ET, TC or WT open already; export what you need "
            "of them, and close the patient"
        )
    if not regions.grid.matches(case.grid):
        raise GridMismatchError(f"the mask of {case.name} is on another grid than its images")
    return layers_of_masks(case, {region: regions.mask(region) for region in Region})


def _exported_regions(case: Case, files: Sequence[RegionFile]) -> list[LayerData]:
    """The regions of exported files, or no layer and a warning if they cannot be opened."""
    masks: dict[Region, Mask] = {}
    for file in files:
        try:
            masks |= read_regions(file, case)[0]
        except SmalltumorError as error:
            notify.warn(str(error))
    return layers_of_masks(case, masks)


def _labels_next_to(case: Case, read: Future[Volume]) -> list[LayerData]:
    """The labels of a case, or no layer and a warning if they cannot be opened."""
    try:
        volume = read.result()
        check_images(volume, case)
        for warning in header_warnings_of(volume, case):
            notify.warn(warning)
        case.labels_read = LabelsRead(volume, read_label_volume)
        return [labels_of(case, on_grid(volume, case.grid, case.name))]
    except SmalltumorError as error:
        notify.warn(str(error))
        return []


def _layers_of_incomplete_case(files: CaseFiles, layers: Iterable[Layer]) -> list[LayerData]:
    """The images and labels of a case without T1CE that no layer shows yet."""
    layers = list(layers)
    paths = [p for m in STACKING for p in files.modalities.get(m, ())]
    images = [read_single_file(path) for path in _not_open(paths, layers)]
    for _, attributes, _ in images[:-1]:
        attributes["visible"] = False
    labels = _not_open(files.labels, layers)
    return images + [layer for path in labels for layer in _single_file_labels(path)]


def _not_open(paths: Iterable[Path], layers: list[Layer]) -> list[Path]:
    return [path for path in paths if layer_of_file(layers, path) is None]


def _single_file_labels(path: Path) -> list[LayerData]:
    """The labels of an incomplete case, or no layer and a warning if they cannot be opened."""
    try:
        return [layer_of_volume(read_label_volume(path))]
    except SmalltumorError as error:
        notify.warn(str(error))
        return []
