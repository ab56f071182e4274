"""From layers to files: label files on the source's grid, with its header, edits and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.nifti import is_nifti_name, write_volume
from smalltumor.data.segmentation import (
    region_paths,
    write_regions,
    write_segmentation,
)
from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output
from smalltumor.files.names import safe_name
from smalltumor.geometry.grid import Grid
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.layers.coordinates import (
    AXIS_LABELS,
    from_display,
    grid_of_layer,
    world_is_ours,
)
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    case_of,
    cases_among,
    provenance_of,
    region_layers,
    same_case,
)
from napari_smalltumor.layers.nesting import keep_nested
from napari_smalltumor.layers.region_masks import compose, segmentation_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

DEFAULT_SUFFIX = ".nii.gz"
_SMALLEST = (np.uint8, np.int16, np.int32)


def case_to_export(viewer: ViewerModel) -> Case | None:
    """The case whose regions the user means: that of the active layer, else the uppermost."""
    active = viewer.layers.selection.active
    candidates = [case_of(active)] if active is not None else []
    candidates += reversed(list(cases_among(viewer.layers)))
    for case in candidates:
        if case is not None and region_layers(viewer.layers, case):
            return case
    return None


def suggested_name(case: Case, scheme: str) -> str:
    """A file name as the year of BraTS that has the scheme would give it."""
    return f"{safe_name(case.name)}{'-' if scheme == 'brats2023' else '_'}seg{DEFAULT_SUFFIX}"


def targets(path: Path, *, per_region: bool) -> list[Path]:
    """The files that an export to `path` would write."""
    path = with_suffix(path)
    return list(region_paths(path).values()) if per_region else [path]


def export_case(
    viewer: ViewerModel,
    case: Case,
    path: Path,
    *,
    scheme: str,
    per_region: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write the regions of a case as they are in the viewer.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    path : Path
        Of the label file; region files are named after it.
    scheme : str
        Name of the label scheme.
    per_region : bool
        Three files of 0 and 1 instead of one label file.
    overwrite : bool
        Whether the user has agreed to replace what is there; a source never is.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        Nothing was written.
    """
    keep_nested(viewer).apply()
    segmentation = segmentation_of(viewer.layers, case)
    if segmentation is None:
        raise OutputError(f"{case.name} has no ET, TC or WT layer to export; segment it first")
    path = with_suffix(path)
    if per_region:
        return write_regions(segmentation, path, overwrite=overwrite)
    return [write_segmentation(segmentation, path, scheme=scheme, overwrite=overwrite)]


def write_layer(
    path: Path,
    data: npt.NDArray[np.generic],
    attributes: Mapping[str, Any],
    *,
    labels: bool,
    scheme: str,
    overwrite: bool,
    beside: Iterable[Layer] = (),
) -> Path:
    """Write one layer on its source's grid with its header, or with its own transform.

    Parameters
    ----------
    path : Path
    data : array
        The layer's, 3D.
    attributes : mapping
        The layer's, as napari hands them to writers.
    labels : bool
        Whether it is a labels layer.
    scheme : str
        Label scheme for a layer that holds tissue classes.
    overwrite : bool
    beside : iterable of layers
        Of the same viewer; they say how the world of a layer without a case lies.

    Raises
    ------
    OutputError
    """
    origin = provenance_of(attributes.get("metadata", {})) or LayerRole(LayerKind.LABELS)
    case = origin.case
    if data.ndim != 3:
        raise OutputError(f"{path}: {attributes.get('name')} has {data.ndim} axes; 3 are needed")
    grid = case.grid if case is not None else _grid_of(data, attributes, beside)
    volume = from_display(data, grid) if case is not None else data
    if volume.shape != grid.shape:
        raise OutputError(f"{path}: {attributes.get('name')} no longer has its case's shape")
    if origin.region is not None:
        volume = (volume != 0).astype(np.uint8)
    elif origin.scheme is not None:
        volume = SCHEMES[scheme].encode(SCHEMES[origin.scheme].decode(volume))
    elif labels:
        volume = _compact(volume)
    path = with_suffix(path)
    check_output(path, overwrite=overwrite, sources=case.sources if case else ())
    header = case.header if case is not None else None
    write_volume(path, np.ascontiguousarray(volume), grid, header, overwrite=overwrite)
    return path


def write_region_layers(
    path: Path,
    attributes: list[Mapping[str, Any]],
    data: list[Any],
    *,
    scheme: str,
    overwrite: bool,
) -> Path:
    """Write region layers of one case as one label file."""
    origins = [provenance_of(a.get("metadata", {})) for a in attributes]
    case = origins[0].case if origins[0] is not None else None
    masks = {
        origin.region: np.asarray(mask)
        for origin, mask in zip(origins, data, strict=True)
        if origin is not None and origin.region is not None and same_case(origin.case, case)
    }
    if case is None or len(masks) != len(data):
        raise OutputError(f"{path}: select ET, TC and WT of one case to write them together")
    segmentation = compose(masks, case)
    return write_segmentation(segmentation, with_suffix(path), scheme=scheme, overwrite=overwrite)


def _grid_of(
    data: npt.NDArray[np.generic], attributes: Mapping[str, Any], beside: Iterable[Layer]
) -> Grid:
    ours = tuple(attributes.get("axis_labels") or ()) == AXIS_LABELS or world_is_ours(beside)
    return grid_of_layer(data.shape, attributes, ours=ours)


def with_suffix(path: Path) -> Path:
    """The path, with .nii.gz where it names no NIfTI file."""
    return path if is_nifti_name(path) else path.with_name(path.name + DEFAULT_SUFFIX)


def _compact(labels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Labels in the smallest type that NIfTI and its readers all know."""
    low, high = int(labels.min()), int(labels.max())
    for dtype in _SMALLEST:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return labels.astype(dtype)
    raise OutputError(f"labels up to {high} do not fit into a NIfTI label file")
