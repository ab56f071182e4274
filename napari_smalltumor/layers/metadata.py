"""Layer roles: what a layer shows, and of which case.

Every layer of the plugin is created with its `LayerRole` in ``layer.metadata["smalltumor"]``. The
first layer with this entry that is inserted into a viewer of the plugin, or passed to `role_of`,
owns the role. napari passes the same metadata to every duplicate, copy and conversion of a layer;
these are plain layers without a role. They keep the *provenance*, that is, the case and the label
scheme of their voxels, so that they can still be saved on the case's grid.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor.layers.own_metadata import set_metadata
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer
    from smalltumor.second_look import StoredCandidates

METADATA_KEY = "smalltumor"


class LayerKind(StrEnum):
    """What a layer shows."""

    IMAGE = "image"
    """An image of a case."""
    REGION = "region"
    """The mask of ET, TC or WT: 0 outside, any other value inside."""
    TISSUE_CLASSES = "tissue classes"
    """Tissue classes from a file, in a label scheme."""
    PREDICTION = "prediction"
    """Tissue classes predicted by a network in training, in a label scheme."""
    LABELS = "labels"
    """Labels from a file, in no known scheme."""
    REFERENCE = "reference"
    """The mask of a region with which the patient's own is compared."""
    BRAIN = "brain"
    """The brain mask of a prepared scan: 0 outside, any other value inside."""
    RINGS = "rings"
    """Rings around lesions."""


_LAYER_TYPES = {LayerKind.IMAGE: "image", LayerKind.RINGS: "points"}


@dataclass(frozen=True, eq=False)
class ReferenceMask:
    """What a layer of the reference shows.

    Parameters
    ----------
    region : Region
    title : str
        Where the mask is from, for the user: the name of a file or layer.
    path : Path, optional
        The file that it was read from.
    layer : reference to a Labels layer, optional
        The layer that it was copied from.
    """

    region: Region
    title: str
    path: Path | None = None
    layer: ref[Labels] | None = None


@dataclass(frozen=True, eq=False)
class LayerRole:
    """What a layer shows, and of which case.

    Parameters
    ----------
    kind : LayerKind
    case : Case, optional
        The case with its grid, header and file paths; optional for rings.
    modality : str, optional
        Modality of an image, if known.
    region : Region, optional
        Region of a region layer.
    scheme : str, optional
        Name of the label scheme of tissue classes.
    known : tuple of TissueClass
        Tissue classes that the file of a layer of them tells apart: its own label scheme may have
        fewer than `scheme`.
    result : Segmentation, optional
        The network's result, if it filled the layer.
    candidates : StoredCandidates, optional
        What the run of a cohort has stored of the mask of a layer of ET.
    checksum : int, optional
        `checksum` of the data with which a network filled the layer, to detect edits.
    images_changed : bool
        Whether the case's images were changed after the mask of a region layer was made.
    made_by : MadeBy, optional
        What the file of a mask records of how it was made, or that a layer was drawn.
    made_checksum : int, optional
        `checksum` of the data that `made_by` is about, as they were read; None if they were edited
        since.
    read_from : str
        Names of the files that the mask of a region layer was read from, and when they were
        written, for the user; empty of any other mask.
    other_images : str
        What is said of the file of a mask that records other images than those of the patient;
        empty of any other mask.
    placement : str
        What is said of labels that did not lie where the tumour is when they were opened; empty of
        any others.
    reference : ReferenceMask, optional
        What a layer of the reference shows. It has no `region`, so that it never counts as the
        patient's own.
    """

    kind: LayerKind
    case: Case | None = None
    modality: str | None = None
    region: Region | None = None
    scheme: str | None = None
    known: tuple[TissueClass, ...] = tuple(TissueClass)
    result: Segmentation | None = None
    candidates: StoredCandidates | None = None
    checksum: int | None = None
    images_changed: bool = False
    made_by: MadeBy | None = None
    made_checksum: int | None = None
    read_from: str = ""
    other_images: str = ""
    placement: str = ""
    reference: ReferenceMask | None = None

    def metadata(self) -> dict[str, Any]:
        """Layer metadata that assigns the role to a new layer."""
        return {METADATA_KEY: _Provenance(self)}


class _Provenance:
    """The metadata entry, shared by a layer and its copies."""

    def __init__(self, role: LayerRole, *, claimed: bool = False) -> None:
        self.role = role
        self.claimed = claimed

    def claim(self) -> LayerRole:
        """Return the role for its owner, and drop what is large, which copies do not need."""
        role = self.role
        self.role = replace(role, result=None, candidates=None, checksum=None)
        self.claimed = True
        return role

    def __deepcopy__(self, memo: dict[int, Any]) -> _Provenance:
        return self  # a deep copy of a layer must not own the role either

    def __repr__(self) -> str:
        case = self.role.case
        shown = self.role.modality or self.role.region or self.role.kind
        return f"{shown} of {case.name}" if case is not None else str(shown)


_ROLES: WeakKeyDictionary[Layer, LayerRole] = WeakKeyDictionary()
_CLAIMING: WeakSet[ViewerModel] = WeakSet()


def claim_roles(viewer: ViewerModel) -> None:
    """Let each layer claim its role as soon as it is inserted, before it can be copied."""
    viewer = unproxied(viewer)
    if viewer in _CLAIMING:
        return
    _CLAIMING.add(viewer)
    for layer in viewer.layers:
        role_of(layer)
    viewer.layers.events.inserted.connect(_on_inserted)


def _on_inserted(event: Any) -> None:
    role_of(event.value)


def role_of(layer: Layer) -> LayerRole | None:
    """The role of a layer, or None if it is a plain layer, such as a copy.

    The first layer with a provenance that is looked at claims the role; copies of it do not.
    """
    role = _ROLES.get(layer)
    if role is not None:
        return role
    provenance = layer.metadata.get(METADATA_KEY)
    if not isinstance(provenance, _Provenance) or not _may_claim(layer, provenance):
        return None
    return _ROLES.setdefault(layer, provenance.claim())


def _may_claim(layer: Layer, provenance: _Provenance) -> bool:
    kind = _LAYER_TYPES.get(provenance.role.kind, "labels")
    is_duplicate = layer.source.parent is not None
    return not provenance.claimed and not is_duplicate and layer._type_string == kind


def set_role(layer: Layer, role: LayerRole) -> None:
    """Make a layer the owner of a role."""
    _ROLES[layer] = role
    provenance = _Provenance(role)
    provenance.claim()
    set_metadata(layer, {**layer.metadata, METADATA_KEY: provenance})


def add_provenance(layer: Layer, case: Case, made_by: MadeBy | None = None) -> None:
    """Have a plain layer, whose voxels lie on the grid of a case, saved on that grid."""
    provenance = _Provenance(LayerRole(LayerKind.LABELS, case, made_by=made_by), claimed=True)
    set_metadata(layer, {**layer.metadata, METADATA_KEY: provenance})


def fill_layer(layer: Labels, data: npt.NDArray[np.integer], role: LayerRole) -> None:
    """Replace a layer's data by a network's result, which does not count as an edit.

    The layer gets a new array, which clears its undo history.
    """
    set_role(layer, replace(role, checksum=checksum(data)))
    layer.data = data
    layer.visible = True


def with_candidates(metadata: Mapping[str, Any], candidates: StoredCandidates) -> dict[str, Any]:
    """Metadata of a layer of ET that is to be added, with the candidates that were stored."""
    role = source_role_of(metadata)
    assert role is not None and role.region is Region.ET
    return {**metadata, **replace(role, candidates=candidates).metadata()}


def source_role_of(metadata: Mapping[str, Any]) -> LayerRole | None:
    """The role, without its result, with which a layer or the original of a copy was created.

    Use it only to read and write voxels on the case's grid. `role_of` returns the current role.
    """
    provenance = metadata.get(METADATA_KEY)
    return provenance.role if isinstance(provenance, _Provenance) else None


def case_of(layer: Layer) -> Case | None:
    """The case that a layer belongs to, or None."""
    role = role_of(layer)
    return role.case if role is not None else None


def region_of(layer: Layer) -> Region | None:
    """The region whose mask a layer holds, or None."""
    role = role_of(layer)
    return role.region if role is not None else None


def region_layers(layers: Iterable[Layer], case: Case) -> dict[Region, Labels]:
    """The region layers of a case among the layers of a viewer."""
    return {
        region: layer
        for layer in layers
        if (region := region_of(layer)) is not None and same_case(case_of(layer), case)
    }


def cases_among(layers: Iterable[Layer]) -> Iterator[Case]:
    """The distinct cases of the layers, in layer order."""
    found: list[Case] = []
    for layer in layers:
        case = case_of(layer)
        if case is not None and not any(same_case(case, other) for other in found):
            found.append(case)
            yield case


def same_case(one: Case | None, other: Case | None) -> bool:
    """Whether both are one case, even if they were read separately.

    They have the same name, grid and `identifying_files`.
    """
    if one is None or other is None:
        return False
    if one is other:
        return True
    same_files = identifying_files(one) == identifying_files(other)
    return one.name == other.name and same_files and one.grid.matches(other.grid)


def identifying_files(case: Case) -> Mapping[str, Path | None]:
    """The files by which a case is recognised, by what they hold.

    That is the file of T1CE alone, on whose grid the masks lie: the others can be added later or
    left out. Without it, it is all files and the folder, because masks of one name in two folders
    are of two patients.
    """
    if REFERENCE in case.paths:
        return {REFERENCE: case.paths[REFERENCE]}
    labels = {} if case.paths else {"labels": case.labels_path}
    return {**case.paths, **labels, "folder": case.folder}


def checksum(data: npt.NDArray[np.generic]) -> int:
    """CRC-32 of a layer's labels; takes about 3 ms for a head and needs no copy of 8-bit data.

    It is that of the numbers, whatever type they are stored as: *Convert data type* edits nothing.
    """
    return zlib.crc32(np.ascontiguousarray(_in_smallest_type(data)).data)


def _in_smallest_type(data: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Integers as 8-bit numbers if these can hold them, else as 64-bit numbers."""
    if data.dtype == np.uint8 or data.dtype.kind not in "iub":
        return data
    is_small = data.size == 0 or (data.min() >= 0 and data.max() <= np.iinfo(np.uint8).max)
    return data.astype(np.uint8 if is_small else np.int64, copy=False)
