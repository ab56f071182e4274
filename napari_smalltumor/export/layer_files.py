"""Write layers, with all edits, as NIfTI files on the grid of their case and with its header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import is_named_after
from smalltumor.data.identity.image_digests import comment_of, digests_of_images
from smalltumor.data.identity.visits import folder_of
from smalltumor.data.made_by import MadeBy, made_by_comment
from smalltumor.data.masks.mask_paths import check_holds_no_image, check_mask_path
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.segmentation import write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import OutputError
from smalltumor.files.atomic import check_output
from smalltumor.files.existence import is_absent
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES, integer_values, with_classes
from smalltumor.text import list_text

from napari_smalltumor import notify
from napari_smalltumor.export.case_export import with_suffix
from napari_smalltumor.export.source_files import source_files, with_sources
from napari_smalltumor.layers.changed_images import check_not_beside
from napari_smalltumor.layers.coordinates import (
    AXIS_LABELS,
    from_display,
    grid_of_layer,
    lies_on,
    uses_display_axes,
)
from napari_smalltumor.layers.masks.region_masks import compose, made_by_of
from napari_smalltumor.layers.metadata import (
    LayerKind,
    LayerRole,
    role_of,
    same_case,
    source_role_of,
)

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData

_LABEL_DTYPES = (np.uint8, np.int16, np.int32)


def write_layer(
    path: Path,
    layer_data: LayerData,
    *,
    scheme: str,
    overwrite: bool,
    layers: Iterable[Layer] = (),
) -> Path:
    """Write one layer on its case's grid and with its header, or with the layer's own transform.

    A region is written as 0 and 1, and tissue classes in the label scheme, whose name in the header
    says if the file of the layer told only some of them. The values of a plain layer, such as a
    copy, are not changed.

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
    layers = list(layers)
    try:
        content = _content_of(layer_data, layers, scheme)
    except OutputError as error:
        raise error.prefixed(path) from error
    path, case = with_suffix(path), content.case
    sources = [*(case.sources if case is not None else ()), *source_files(layers)]
    if case is not None:
        check_not_beside([path], case)
    check_output(path, overwrite=overwrite, sources=sources)
    if layer_data[2] != "labels":
        _check_no_image_of_others(path, case)
    elif case is not None:
        check_mask_path(path, case.name)
    else:
        check_holds_no_image(path)
    write_volume(
        path,
        np.ascontiguousarray(content.volume),
        content.grid,
        case.header if case is not None else None,
        label_scheme=content.scheme,
        comments=_comments_of(content, layer_data, layers),
        overwrite=overwrite,
    )
    return path


def _check_no_image_of_others(path: Path, case: Case | None) -> None:
    """Check that an image of a case, which may replace its own copy, replaces none of another."""
    parsed = parse_file_name(path)
    if case is None or parsed is None or is_absent(path):
        return
    if parsed[0] and not is_named_after(parsed[0], case.name, folder_of(case)):
        raise OutputError(f"{path} is an image by its name, of {parsed[0]}")


@dataclass(frozen=True, eq=False)
class _Content:
    """What is written of a layer.

    Parameters
    ----------
    volume : (i, j, k) array
    grid : Grid
    case : Case, optional
        The case on whose grid the voxels lie.
    scheme : str
        Name of the label scheme of the values; empty if they have none.
    """

    volume: npt.NDArray[np.generic]
    grid: Grid
    case: Case | None
    scheme: str = ""


def _content_of(layer_data: LayerData, layers: Sequence[Layer], scheme: str) -> _Content:
    data, attributes, kind = layer_data
    name = attributes.get("name")
    if data.ndim != 3:
        raise OutputError(f"{name} has {data.ndim} axes; 3 are needed")
    plain, origin = _is_plain(layer_data, layers), _origin_of(layer_data)
    case = origin.case
    if case is None or (plain and not lies_on(case.grid, data.shape, attributes)):
        content = _Content(data, _grid_of(data, attributes, layers), None)
    else:
        content = _Content(from_display(data, case.grid), case.grid, case)
    if content.volume.shape != content.grid.shape:
        raise OutputError(f"{name} has another shape than the images of its case")
    if kind != "labels":
        return content
    if plain:
        return replace(content, volume=_compact(content.volume))
    if origin.scheme is None:
        return replace(content, volume=_encode_labels(content.volume, origin))
    classes = SCHEMES[origin.scheme].decode(content.volume)
    written_in = with_classes(
        SCHEMES[scheme], {*origin.known, *map(TissueClass, integer_values(classes))}
    )
    return replace(content, volume=written_in.encode(classes), scheme=written_in.name)


def _origin_of(layer_data: LayerData) -> LayerRole:
    return source_role_of(layer_data[1].get("metadata", {})) or LayerRole(LayerKind.LABELS)


def _comments_of(content: _Content, layer_data: LayerData, layers: Sequence[Layer]) -> list[str]:
    """What the file of labels of a case records: its images, and what made the labels."""
    if content.case is None or layer_data[2] != "labels":
        return []
    made_by = _made_by(layer_data, _origin_of(layer_data), layers)
    return [
        comment_of(digests_of_images(content.case)),
        made_by_comment(made_by, content.volume, content.grid, content.scheme),
    ]


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
        origin = None if _is_plain(each, layers) else source_role_of(each[1].get("metadata", {}))
        if origin is None or origin.region is None:
            continue
        case = case or origin.case
        if same_case(case, origin.case):
            masks[origin.region] = np.asarray(each[0])
    if case is None or len(masks) != len(layer_data):
        raise OutputError(f"{path}: select ET, TC and WT of one case to write them together")
    path = with_suffix(path)
    check_not_beside([path], case)
    regions = [x for x in layers if any(x.data is each[0] for each in layer_data)]
    composed = replace(compose(masks, case), made_by=made_by_of(regions))
    segmentation = with_sources(composed, layers)
    check_output(path, overwrite=overwrite, sources=segmentation.sources)
    check_mask_path(path, case.name)
    write_segmentation(segmentation, path, scheme=scheme, overwrite=overwrite)
    omitted = [region.name for region in Region if region not in masks]
    if omitted:
        saved = list_text(r.name for r in Region if r in masks)
        notify.warn(
            f"{path.name} has no {list_text(omitted, 'or')} of {case.name}: only {saved} "
            f"{'was' if len(masks) == 1 else 'were'} saved"
        )
    return path


def _is_plain(layer_data: LayerData, layers: Iterable[Layer]) -> bool:
    """Whether the data belong to a layer of the viewer without a role, such as a copy."""
    data, attributes, _ = layer_data
    same = [x for x in layers if x.data is data and x.name == attributes.get("name")]
    return bool(same) and role_of(same[0]) is None


def _made_by(layer_data: LayerData, origin: LayerRole, layers: Iterable[Layer]) -> MadeBy | None:
    """What made the labels of a layer: its own mask, or labels that were drawn in a new layer."""
    own = [x for x in layers if x.data is layer_data[0] and role_of(x) is not None]
    if own:
        return made_by_of(own)
    return origin.made_by if origin.kind is LayerKind.LABELS else None


def _grid_of(
    data: npt.NDArray[np.generic], attributes: Mapping[str, Any], layers: Iterable[Layer]
) -> Grid:
    display_axes = tuple(attributes.get("axis_labels") or ()) == AXIS_LABELS or uses_display_axes(
        layers
    )
    return grid_of_layer(data.shape, attributes, display_axes=display_axes)


def _encode_labels(volume: npt.NDArray[np.generic], origin: LayerRole) -> npt.NDArray[np.generic]:
    """Convert the values of a region, or of labels of no scheme, to those in the file."""
    return _compact(volume) if origin.region is None else (volume != 0).astype(np.uint8)


def _compact(labels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Convert labels to the smallest integer type that all NIfTI readers support."""
    low, high = int(labels.min()), int(labels.max())
    for dtype in _LABEL_DTYPES:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return labels.astype(dtype)
    raise OutputError(f"Labels up to {high} do not fit into a NIfTI label file")
