"""Write layers, with all edits, as NIfTI files on the grid of their case and with its header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.bids import write_bids
from smalltumor.data.case import Case
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.nifti import is_nifti_name, write_volume
from smalltumor.data.segmentation import (
    Segmentation,
    region_paths,
    write_regions,
    write_segmentation,
)
from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output
from smalltumor.files.names import safe_name
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.export.native_grid import placed_on
from napari_smalltumor.export.region_files import EXPORT_ENDING
from napari_smalltumor.layers.coordinates import (
    AXIS_LABELS,
    display_shape,
    display_transform,
    from_display,
    grid_of_layer,
    uses_display_axes,
)
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    case_of,
    provenance_of,
    region_layers,
    role_of,
    same_case,
)
from napari_smalltumor.layers.nesting import ensure_nesting
from napari_smalltumor.layers.region_masks import compose, segmentation_of
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData

DEFAULT_SUFFIX = ".nii.gz"
_LABEL_DTYPES = (np.uint8, np.int16, np.int32)


def case_to_export(viewer: ViewerModel) -> Case | None:
    """The case to export: that of the active patient's topmost region."""
    layers = active_patient(viewer).layers
    for layer in reversed(layers):
        case = case_of(layer)
        if case is not None and layer in region_layers(layers, case).values():
            return case
    return None


def suggested_name(case: Case) -> str:
    """A file name that no image and no expert's mask has."""
    return f"{safe_name(case.name)}{EXPORT_ENDING}{DEFAULT_SUFFIX}"


def targets(path: Path, *, per_region: bool) -> list[Path]:
    """The files that an export to `path` writes."""
    path = with_suffix(path)
    return list(region_paths(path).values()) if per_region else [path]


def export_case(
    viewer: ViewerModel,
    case: Case,
    path: Path,
    *,
    scheme: str,
    per_region: bool = False,
    native: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the regions of a case with their edits in the viewer.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    path : Path
        Path of the label file. Names of region files are derived from it.
    scheme : str
        Name of the label scheme.
    per_region : bool
        Whether to write three masks of 0 and 1 instead of one label file.
    native : str, optional
        Modality on whose native grid the files lie, of a case that was prepared from a scan.
    overwrite : bool
        Whether existing files may be replaced. Source files of the viewer's layers are never
        replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If the case has no regions or a file cannot be written. No file is then written.
    """
    segmentation = placed_on(_segmentation_to_export(viewer, case), case, native)
    path = with_suffix(path)
    if per_region:
        return write_regions(segmentation, path, overwrite=overwrite)
    return [write_segmentation(segmentation, path, scheme=scheme, overwrite=overwrite)]


def export_bids(
    viewer: ViewerModel, case: Case, dataset: Path, *, scheme: str, overwrite: bool = False
) -> list[Path]:
    """Write the regions of a case with their edits to a BIDS derivative dataset.

    Parameters and errors as for `export_case` and `smalltumor.data.bids.write_bids`.
    """
    segmentation = _segmentation_to_export(viewer, case)
    return write_bids(segmentation, dataset, scheme=scheme, overwrite=overwrite)


def _segmentation_to_export(viewer: ViewerModel, case: Case) -> Segmentation:
    ensure_nesting(viewer).apply()
    segmentation = segmentation_of(viewer.layers, case)
    if segmentation is None:
        raise OutputError(f"{case.name} has no ET, TC or WT layer to export; segment it first")
    return _with_sources(segmentation, viewer.layers)


def write_layer(
    path: Path,
    layer_data: LayerData,
    *,
    scheme: str,
    overwrite: bool,
    layers: Iterable[Layer] = (),
) -> Path:
    """Write one layer on its case's grid and with its header, or with the layer's own transform.

    A region is written as 0 and 1, and tissue classes in the label scheme. The values of a plain
    layer, such as a copy, are not changed.

    Parameters
    ----------
    path : Path
    layer_data : LayerData
        Data (3D), attributes and type of the layer, as napari passes them to writers.
    scheme : str
        Name of the label scheme for tissue classes.
    overwrite : bool
    layers : iterable of layers
        The viewer's layers. Their source files are never replaced, and they determine the
        orientation of a layer without a case.

    Raises
    ------
    OutputError
        If the layer is not 3D or no longer has its case's shape, or the file cannot be written.
    """
    data, attributes, kind = layer_data
    layers = list(layers)
    name = attributes.get("name")
    if data.ndim != 3:
        raise OutputError(f"{path}: {name} has {data.ndim} axes; 3 are needed")
    plain = _is_plain(layer_data, layers)
    origin = provenance_of(attributes.get("metadata", {})) or LayerRole(LayerKind.LABELS)
    case = origin.case
    if case is None or (plain and not _has_grid_of(case, data.shape, attributes)):
        case = None
        volume, grid = data, _grid_of(data, attributes, layers)
    else:
        volume, grid = from_display(data, case.grid), case.grid
    if volume.shape != grid.shape:
        raise OutputError(f"{path}: {name} no longer has its case's shape")
    written_in = ""
    if kind == "labels":
        volume = _compact(volume) if plain else _encode(volume, origin, scheme)
        written_in = scheme if not plain and origin.scheme is not None else ""
    path = with_suffix(path)
    sources = [*(case.sources if case is not None else ()), *source_files(layers)]
    check_output(path, overwrite=overwrite, sources=sources)
    header = case.header if case is not None else None
    write_volume(
        path,
        np.ascontiguousarray(volume),
        grid,
        header,
        label_scheme=written_in,
        overwrite=overwrite,
    )
    return path


def write_region_layers(
    path: Path,
    layer_data: Sequence[LayerData],
    *,
    scheme: str,
    overwrite: bool,
    layers: Iterable[Layer] = (),
) -> Path:
    """Write the region layers of one case as one label file.

    Raises
    ------
    OutputError
        If the layers are not distinct region layers of one case, or the file cannot be written.
    """
    layers = list(layers)
    masks: dict[Region, npt.NDArray[np.generic]] = {}
    case: Case | None = None
    for each in layer_data:
        origin = None if _is_plain(each, layers) else provenance_of(each[1].get("metadata", {}))
        if origin is None or origin.region is None:
            continue
        case = case or origin.case
        if same_case(case, origin.case):
            masks[origin.region] = np.asarray(each[0])
    if case is None or len(masks) != len(layer_data):
        raise OutputError(f"{path}: select ET, TC and WT of one case to write them together")
    omitted = [region.name for region in Region if region not in masks]
    if omitted:
        notify.warn(
            f"{path.name} has no {' and no '.join(omitted)} of {case.name}: only "
            f"{' and '.join(r.name for r in Region if r in masks)} were saved"
        )
    segmentation = _with_sources(compose(masks, case), layers)
    return write_segmentation(segmentation, with_suffix(path), scheme=scheme, overwrite=overwrite)


def source_files(layers: Iterable[Layer]) -> Iterator[Path]:
    """Source files of a viewer's layers, which an export must not replace.

    They include the images and experts' masks that lie beside those of a layer, opened or not.
    Files of labels that another plugin read are not included, so these can be saved in place.
    """
    folders: set[Path] = set()
    for layer in layers:
        origin = provenance_of(layer.metadata)
        if origin is not None and origin.case is not None:
            yield from origin.case.sources
            folders |= _folders_of(origin.case)
        elif layer._type_string == "image" and layer.source.path:
            yield Path(layer.source.path)
    for folder in folders:
        with suppress(OSError):
            yield from (p for p in folder.iterdir() if is_nifti_name(p) and parse_file_name(p))


def _folders_of(case: Case) -> set[Path]:
    """The folders of a case's files, also of a case that was read from a mask alone."""
    files = [*case.paths.values(), *([case.labels_path] if case.labels_path else [])]
    return {path.parent for path in files} | ({case.folder} if case.folder else set())


def check_no_source(paths: Iterable[Path], layers: Iterable[Layer]) -> None:
    """Check that no path is a source file of the layers.

    Raises
    ------
    OutputError
        That names the first path that is one.
    """
    sources = list(source_files(layers))
    for path in paths:
        check_output(path, overwrite=True, sources=sources)


def _with_sources(segmentation: Segmentation, layers: Iterable[Layer]) -> Segmentation:
    sources = (*segmentation.sources, *source_files(layers))
    return replace(segmentation, sources=tuple(dict.fromkeys(sources)))


def _is_plain(layer_data: LayerData, layers: Iterable[Layer]) -> bool:
    """Whether the data belong to a layer of the viewer without a role, such as a copy."""
    data, attributes, _ = layer_data
    same = [x for x in layers if x.data is data and x.name == attributes.get("name")]
    return bool(same) and role_of(same[0]) is None


def _has_grid_of(case: Case, shape: tuple[int, ...], attributes: Mapping[str, Any]) -> bool:
    """Whether a layer still has the position and shape of the case's layers."""
    if tuple(attributes.get("axis_labels") or ()) != AXIS_LABELS:
        return False
    grid = grid_of_layer(shape, attributes, display_axes=True)
    expected = grid_of_layer(
        display_shape(case.grid), display_transform(case.grid), display_axes=True
    )
    return grid.matches(expected)


def _grid_of(
    data: npt.NDArray[np.generic], attributes: Mapping[str, Any], layers: Iterable[Layer]
) -> Grid:
    display_axes = tuple(attributes.get("axis_labels") or ()) == AXIS_LABELS or uses_display_axes(
        layers
    )
    return grid_of_layer(data.shape, attributes, display_axes=display_axes)


def _encode(
    volume: npt.NDArray[np.generic], origin: LayerRole, scheme: str
) -> npt.NDArray[np.generic]:
    """Convert the values of a labels layer to those in the file."""
    if origin.region is not None:
        return (volume != 0).astype(np.uint8)
    if origin.scheme is not None:
        return SCHEMES[scheme].encode(SCHEMES[origin.scheme].decode(volume))
    return _compact(volume)


def with_suffix(path: Path) -> Path:
    """The path, with .nii.gz appended unless it ends in .nii or .nii.gz."""
    return path if is_nifti_name(path) else path.with_name(path.name + DEFAULT_SUFFIX)


def _compact(labels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Convert labels to the smallest integer type that all NIfTI readers support."""
    low, high = int(labels.min()), int(labels.max())
    for dtype in _LABEL_DTYPES:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return labels.astype(dtype)
    raise OutputError(f"labels up to {high} do not fit into a NIfTI label file")
