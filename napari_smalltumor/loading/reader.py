"""napari reader for case folders, NIfTI volumes and stacked 4D files."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import REFERENCE, Case, read_case_files, read_image
from smalltumor.data.label_files import (
    check_tumour_size,
    decode_labels,
    on_grid,
    read_label_volume,
    rounded,
    scheme_of_volume,
)
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES, MSD_CHANNELS, CaseFiles
from smalltumor.data.naming.file_names import LABELS, parse_file_name
from smalltumor.data.naming.find_cases import find_case_files, label_scheme_hint
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.nifti import Volume, is_image_name, stem
from smalltumor.data.volume_files import volume_shape
from smalltumor.errors import CaseError, LabelError, SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.files.requirements import MissingPackageError
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES, LabelScheme, integer_values
from smalltumor.scanner.preparation.stored_case import read_brain, stored_paths

from napari_smalltumor.export.region_files import (
    RegionFile,
    check_no_regions,
    is_beside,
    layers_of_masks,
    read_regions,
    region_file,
    region_files_of,
)
from napari_smalltumor.layers.brain_mask import brain_mask_layer
from napari_smalltumor.layers.create import (
    STACKING,
    LayerData,
    image_layer,
    image_layers,
    labels_layer,
    plain_labels_layer,
)
from napari_smalltumor.layers.metadata import cases_among, region_layers
from napari_smalltumor.layers.regions import region_layer
from napari_smalltumor.loading.already_open import layer_of_file, without_open
from napari_smalltumor.notify import error_text, warn

if TYPE_CHECKING:
    from napari.layers import Layer

Reader = Callable[[str | Sequence[str]], list[LayerData]]

_REGION_ENDING = re.compile(r"^(?P<case>.+)[-_ ](?P<region>et|tc|wt)$", re.IGNORECASE)


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the function that reads a path, or None if the plugin does not read it.

    Parameters
    ----------
    path : str or sequence of str
        A folder, a NIfTI file, or several files that were opened together.

    Returns
    -------
    callable or None
        Function that reads the path and returns layer data. It may raise `CaseError`.
    """
    if not isinstance(path, str):
        return _read_together if _are_one_case([Path(p) for p in path]) else None
    file = Path(path)
    if file.is_dir():
        return _read_folder if _contains_modalities(file) else None
    if is_image_name(file) and _dimensions(file) in (3, 4):
        return _read_file
    return None


def layers_of_case(
    files: CaseFiles,
    *,
    exported: RegionFile | None = None,
    layers: Iterable[Layer] = (),
    with_labels: bool = True,
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
    """
    if files.modalities and files.missing:
        missing = " and no ".join(MODALITY_TITLES[m] for m in files.missing)
        warn(f"{files.name} has no {missing} image; the other images were opened")
        if REFERENCE in files.missing:
            return _layers_of_incomplete_case(files)
    with ThreadPoolExecutor(1) as pool:  # in parallel with the images
        paths = files.labels if with_labels else []
        labels = [pool.submit(read_label_volume, path) for path in paths]
        case = read_case_files(files, allow_missing=True)
    for warning in case.warnings:
        warn(warning)
    stored = [layer for read in labels for layer in _labels_next_to(case, read)]
    written = region_files_of(case) if exported is None else [exported]
    if written and region_layers(layers, case):
        names = " and ".join(file.path.name for file in written)
        warn(f"{names} was not opened, because the regions of {case.name} are open already")
        written = []
    regions = _exported_regions(case, written)
    if regions:
        for _, attributes, _ in stored:
            attributes["visible"] = False
    data = image_layers(case) + _brain_mask_of(case) + stored + regions
    return without_open(data, layers)


def _brain_mask_of(case: Case) -> list[LayerData]:
    """The brain mask of a prepared scan, or no layer and a warning if it cannot be opened."""
    paths = stored_paths(case)
    if paths is None:
        return []
    try:
        volume = on_grid(read_brain(paths["brain"]), case.grid, case.name)
    except SmalltumorError as error:
        warn(str(error))
        return []
    return [brain_mask_layer(case, volume.data != 0)]


def _exported_regions(case: Case, files: Sequence[RegionFile]) -> list[LayerData]:
    """The regions of exported files, or no layer and a warning if they cannot be opened."""
    masks: dict[Region, Mask] = {}
    for file in files:
        try:
            masks |= read_regions(file, case.grid)[0]
        except SmalltumorError as error:
            warn(str(error))
    return layers_of_masks(case, masks)


def _layers_of_export(file: RegionFile) -> list[LayerData]:
    """The regions of an exported file, with the images beside it unless these are open."""
    layers = _open_layers()
    case = next((c for c in cases_among(layers) if is_beside(file, c)), None)
    if case is not None:
        check_no_regions(case.name, region_layers(layers, case), file)
        masks, _ = read_regions(file, case.grid)
        return layers_of_masks(case, masks)
    folder = file.path.absolute().parent
    for files in group_files(p for p in sorted(folder.iterdir()) if is_image_name(p)):
        is_case = files.modalities and files.problem(allow_missing=True) is None
        if safe_name(files.name) == file.case and is_case:
            return layers_of_case(files, exported=file, layers=layers)
    masks, volume = read_regions(file)
    alone = _single_file_case(file.case, volume)
    alone.folder = folder
    return layers_of_masks(alone, masks)


def _open_layers() -> list[Layer]:
    from napari.viewer import current_viewer

    viewer = current_viewer()
    return [] if viewer is None else list(viewer.layers)


def _read_folder(path: str | Sequence[str]) -> list[LayerData]:
    return layers_of_case(find_case_files(Path(str(path))), layers=_open_layers())


def _read_together(paths: str | Sequence[str]) -> list[LayerData]:
    return layers_of_case(find_case_files([Path(p) for p in paths]), layers=_open_layers())


def _read_file(path: str | Sequence[str]) -> list[LayerData]:
    file = Path(str(path))
    if _dimensions(file) == 4:
        return layers_of_case(find_case_files(file), layers=_open_layers())
    exported = region_file(file)
    if exported is not None:
        return _layers_of_export(exported)
    if layer_of_file(_open_layers(), file) is not None:
        return []
    return [layer_of_volume(read_image(file))]


def layer_of_volume(volume: Volume) -> LayerData:
    """The layer of a single 3D file: a modality, a label volume, or the mask of a region."""
    name = stem(volume.path)
    region = _REGION_ENDING.match(name)
    if region and _is_mask(volume.data):
        case = _single_file_case(region["case"], volume)
        case.folder = Path(os.path.normpath(volume.path.parent.absolute()))
        return region_layer(case, Region(region["region"].lower()), volume.data != 0)
    case_name, role, _word = parse_file_name(volume.path) or (name, None, "")
    case = _single_file_case(case_name or volume.path.resolve().parent.name, volume)
    if role == LABELS or (role is None and _is_label_volume(volume.data)):
        case.labels_path = volume.path
        case.scheme_hint = label_scheme_hint(volume.path)
        return _labels_of(case, rounded(volume))
    case.volumes = {role or name: volume.data}
    case.paths = {role or name: volume.path}
    return image_layer(case, role or name)


def _single_file_case(name: str, volume: Volume) -> Case:
    """A case of a single file, with its grid and header."""
    return Case(name, {}, volume.grid, volume.header)


def _layers_of_incomplete_case(files: CaseFiles) -> list[LayerData]:
    paths = [p for m in STACKING for p in files.modalities.get(m, ())]
    layers = [layer_of_volume(read_image(path)) for path in paths]
    for _, attributes, _ in layers[:-1]:
        attributes["visible"] = False
    return layers + [layer for path in files.labels for layer in _single_file_labels(path)]


def _single_file_labels(path: Path) -> list[LayerData]:
    """The labels of an incomplete case, or no layer and a warning if they cannot be opened."""
    try:
        return [layer_of_volume(read_label_volume(path))]
    except SmalltumorError as error:
        warn(str(error))
        return []


def _labels_next_to(case: Case, read: Future[Volume]) -> list[LayerData]:
    """The labels of a case, or no layer and a warning if they cannot be opened."""
    try:
        volume = on_grid(read.result(), case.grid, case.name)
        return [_labels_of(case, volume)]
    except SmalltumorError as error:
        warn(str(error))
        return []


def _labels_of(case: Case, volume: Volume) -> LayerData:
    scheme = _scheme_of(volume, case.scheme_hint)
    if scheme is None:
        return plain_labels_layer(case, volume.data, stem(volume.path))
    return labels_in_scheme(case, volume, scheme)


def labels_in_scheme(case: Case, volume: Volume, scheme: LabelScheme) -> LayerData:
    """The layer of labels of a scheme; those of a scheme that is only read are converted."""
    if scheme.name in SCHEMES:
        return labels_layer(case, volume.data.astype(np.uint8, copy=False), scheme)
    written = SCHEMES[DEFAULT_SCHEME]
    classes, _ = decode_labels(volume, scheme.name)
    _say_what_is_left_out(volume, scheme)
    return labels_layer(case, written.encode(classes), written)


def _scheme_of(volume: Volume, hint: str | None) -> LabelScheme | None:
    """The scheme of a label volume; None if its values may have two meanings.

    A window, which reads in a worker, asks for the meaning; elsewhere a warning says so.
    """
    try:
        values = integer_values(volume.data)
    except LabelError as error:
        raise CaseError(f"{volume.path}: {error}") from error
    try:
        scheme = scheme_of_volume(volume, hint)
    except LabelError as error:
        asks = threading.current_thread() is not threading.main_thread()
        if error.remedy is not None and not set(values) <= {0, 1} and not asks:
            warn(error_text(error.prefixed(volume.path.name)))
        return None
    check_tumour_size(volume)
    return scheme


def _say_what_is_left_out(volume: Volume, scheme: LabelScheme) -> None:
    cavity = [v for v, t in scheme.others.items() if t == 0 and np.any(volume.data == v)]
    if cavity:
        warn(
            f"{volume.path.name}: {cavity[0]} is the resection cavity ({scheme.name}), which is "
            "no tumour and is left out"
        )


def _is_mask(data: npt.NDArray[np.generic]) -> bool:
    return data.dtype.kind in "ui" and int(data.max()) <= 1 and int(data.min()) >= 0


def _is_label_volume(data: npt.NDArray[np.generic]) -> bool:
    return data.dtype == np.uint8 and int(data.max()) <= 4


def _dimensions(path: Path) -> int | None:
    """3 for a volume, 4 for stacked modalities, or None if the plugin does not read the file."""
    try:
        shape = volume_shape(path)
    except MissingPackageError:
        return 3  # reading says what is to be installed
    except CaseError:
        return None
    if len(shape) == 4 and shape[3] == len(MSD_CHANNELS):
        return 4
    return 3 if len(shape) == 3 else None


def _contains_modalities(folder: Path) -> bool:
    try:
        files = [p for p in folder.iterdir() if is_image_name(p) and not p.name.startswith(".")]
    except OSError:
        return False
    roles = [match[1] for p in files if (match := parse_file_name(p)) is not None]
    return any(role != LABELS for role in roles)


def _are_one_case(paths: Sequence[Path]) -> bool:
    if not paths or not all(is_image_name(p) for p in paths):
        return False
    cases = group_files(paths)
    return len(cases) == 1 and len(cases[0].modalities) == len(MODALITIES)
