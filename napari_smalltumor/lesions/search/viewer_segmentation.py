"""Segmentations in the viewer whose lesions can be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.midsagittal_plane import MidsagittalPlane, midsagittal_plane
from smalltumor.geometry.grid import UPRIGHT_AXES, Grid, index_transform
from smalltumor.labels.regions import REGION_CLASSES, Region
from smalltumor.labels.schemes import SCHEMES
from smalltumor.lesions import Lesion, Point, ProbabilityLookup
from smalltumor.second_look import StoredLesion

from napari_smalltumor.layers.coordinates import (
    from_display,
    grid_of_layer,
    to_display,
    uses_display_axes,
)
from napari_smalltumor.layers.masks.reference import reference_of
from napari_smalltumor.layers.metadata import (
    LayerKind,
    cases_among,
    region_layers,
    region_of,
    role_of,
    source_role_of,
)
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.lesions.decisions import acceptance
from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.verdicts import addition_of
from napari_smalltumor.lesions.search.snapshot import Snapshot, nearest_voxel

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

_PLANES: WeakKeyDictionary[Labels, MidsagittalPlane | None] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class ViewerSegmentation:
    """A segmentation in the viewer.

    Parameters
    ----------
    name : str
        Shown in the dock.
    layers : mapping of Region to Labels layer
        Three layers with the mask of one region each, or one layer for all regions: with tissue
        classes, or with a mask of the region that the user chooses.
    case : Case or None
        None for a layer of another origin.
    scheme : str or None
        Name of the label scheme, for a layer of tissue classes.
    display_axes : bool
        Whether the world axes of a layer without a case are I, P, L; see
        `coordinates.uses_display_axes`.
    """

    name: str
    layers: Mapping[Region, Labels]
    case: Case | None = None
    scheme: str | None = None
    display_axes: bool = True

    def holds(self, layer: Layer) -> bool:
        """Whether the layer is one of this segmentation's."""
        return any(own is layer for own in self.layers.values())

    def is_same(self, other: ViewerSegmentation | None) -> bool:
        """Whether both have a layer in common."""
        return other is not None and any(other.holds(layer) for layer in self.layers.values())

    @property
    def is_visible(self) -> bool:
        """Whether any of the layers is visible."""
        return any(layer.visible for layer in self.layers.values())

    @property
    def patient(self) -> Patient | None:
        """The patient of the layers; None if it is not known."""
        return patient_of(self.any_layer)

    @property
    def any_layer(self) -> Labels:
        """One of the layers; all have the same transform."""
        return next(iter(self.layers.values()))

    @property
    def grid(self) -> Grid:
        """Grid that lesions are measured on: the case's if there is one, else the layer's."""
        if self._is_upright:
            assert self.case is not None
            return self.case.grid
        layer = self.any_layer
        attributes = layer.as_layer_data_tuple()[1]
        return grid_of_layer(layer.data.shape, attributes, display_axes=self.display_axes)

    def is_accepted(self, region: Region, lesion: Lesion) -> bool:
        """Whether a lesion of a region was accepted as it is now, or added to ET."""
        return self.acceptance_of(region, lesion) is not None

    def acceptance_of(self, region: Region, lesion: Lesion) -> Signature | None:
        """Who accepted a lesion of a region as it is now, or added it to ET, and when."""
        layer = self.layers[region]
        signature = acceptance.acceptance_of(layer, region, lesion)
        if signature is not None or region is not Region.ET:
            return signature
        addition = addition_of(layer, lesion)
        return None if addition is None else addition.signature

    def marks_of(self, region: Region, lesions: Iterable[Lesion]) -> dict[Lesion, Signature | None]:
        """Who accepted each lesion as it is now; None for nobody, also if it was added to ET."""
        layer = self.layers[region]
        return {x: acceptance.acceptance_of(layer, region, x) for x in lesions}

    def accept(self, region: Region, lesions: Sequence[Lesion], accepted: bool) -> None:
        """Mark lesions as accepted, or remove the marks; marks are kept for each layer."""
        self.mark(region, dict.fromkeys(lesions, Signature.now() if accepted else None))

    def mark(self, region: Region, lesions: Mapping[Lesion, Signature | None]) -> None:
        """Record who accepted each lesion, or that nobody did."""
        acceptance.mark(self.layers[region], region, lesions)

    def stored_values(self, region: Region) -> tuple[int, ...] | None:
        """Values of the layer that are inside a region; None for all values but 0."""
        if self.scheme is None:
            return None
        values = SCHEMES[self.scheme].values
        return tuple(values[tissue] for tissue in REGION_CLASSES[region])

    def mask(
        self, region: Region, data: npt.NDArray[np.integer] | None = None
    ) -> npt.NDArray[np.bool_]:
        """Voxels of a region as the layer holds them.

        Parameters
        ----------
        region : Region
        data : array, optional
            The layer's data or part of it; by default all of it.
        """
        data = np.asarray(self.layers[region].data) if data is None else data
        values = self.stored_values(region)
        if values is None:
            return np.asarray(data != 0)
        return np.isin(data, values)

    def snapshot(self, region: Region) -> Snapshot:
        """Copy the mask of a region, to be searched in another thread."""
        grid = self.grid
        return Snapshot(
            data=np.array(self.layers[region].data),
            grid=grid,
            region=region,
            values=self.stored_values(region),
            upright=self._is_upright,
            lookup=self.lookup(region),
            plane=self.plane,
            stored=self._stored(region),
        )

    @property
    def plane(self) -> Callable[[], MidsagittalPlane | None]:
        """Finds the midsagittal plane of the brain, in some tenths of a second at first."""
        return partial(_plane, self.any_layer, self.case)

    def lookup(self, region: Region) -> ProbabilityLookup | None:
        """Class probabilities at voxels of the grid; None unless the network made the layer."""
        role = role_of(self.layers[region])
        result = role.result if role is not None else None
        cropped = getattr(result, "cropped", None)
        return None if cropped is None else cropped.at

    def knows_probabilities(self, region: Region) -> bool:
        """Whether the network made the layer, and its probabilities are known or stored."""
        return self.lookup(region) is not None or bool(self._stored(region))

    def _stored(self, region: Region) -> Sequence[StoredLesion]:
        """What a cohort's run has stored of the components of ET."""
        role = role_of(self.layers[region]) if region is Region.ET else None
        if role is None or role.candidates is None or role.result is not None:
            return ()
        return role.candidates.found

    def to_data(self, voxels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert voxel indices (..., 3) of a lesion, on the grid, to those in the layers."""
        indices = np.asarray(voxels, dtype=np.float64)
        if not self._is_upright:
            return indices
        transform = self._to_upright
        return (indices @ transform[:3, :3].T + transform[:3, 3])[..., ::-1]

    def world_of(self, voxel: Point) -> Point:
        """World coordinates of a place, in indices on the grid."""
        first, second, third = self.any_layer.data_to_world(self.to_data(voxel))[-3:]
        return float(first), float(second), float(third)

    def voxel_at(self, point: Sequence[float]) -> tuple[int, int, int]:
        """Voxel of the grid, perhaps outside it, at a point of the world (its last three axes)."""
        data = np.asarray(self.any_layer.world_to_data(tuple(point)[-3:]), dtype=np.float64)
        if self._is_upright:
            inverse = np.linalg.inv(self._to_upright)
            data = data[::-1] @ inverse[:3, :3].T + inverse[:3, 3]
        return nearest_voxel((float(data[0]), float(data[1]), float(data[2])))

    def volume(self, region: Region) -> npt.NDArray[np.bool_]:
        """The mask of a region on the source's grid, (i, j, k) bool."""
        mask = self.mask(region)
        return from_display(mask, self.grid) if self._is_upright else mask

    def box_in_data(self, lesion: Lesion) -> tuple[slice, slice, slice]:
        """The lesion's bounding box in the layers' data."""
        a, b, c = (slice(int(first), int(stop)) for first, stop in self.boxes_in_data([lesion])[0])
        return a, b, c

    def boxes_in_data(self, lesions: Sequence[Lesion]) -> npt.NDArray[np.int_]:
        """Bounding boxes in the layers' data: first voxel and stop, (lesion, axis, 2) int."""
        spans = np.array([lesion.bbox for lesion in lesions]).reshape(-1, 3, 2)
        ends = np.rint(self.to_data(np.stack([spans[..., 0], spans[..., 1] - 1]))).astype(int)
        return np.stack([ends.min(axis=0), ends.max(axis=0) + 1], axis=-1)

    def voxels_in_data(self, lesion: Lesion) -> npt.NDArray[np.int_]:
        """Voxels of a lesion in the layers' data, (n, 3) int; its indices must be known."""
        assert lesion.indices is not None
        return np.rint(self.to_data(lesion.indices)).astype(int)

    @property
    def _is_upright(self) -> bool:
        """Whether the layers hold the case's volume in display order, uncropped."""
        return self._upright_shape == tuple(self.any_layer.data.shape)

    @cached_property
    def _upright_shape(self) -> tuple[int, ...] | None:
        if self.case is None:
            return None
        empty = np.broadcast_to(np.zeros((), dtype=bool), self.case.grid.shape)
        return to_display(empty, self.case.grid).shape

    @cached_property
    def _to_upright(self) -> npt.NDArray[np.float64]:
        """Matrix (4, 4) from voxel indices on the case's grid to those along L, P, I."""
        assert self.case is not None
        return index_transform(self.case.grid, UPRIGHT_AXES)


def lesion_sources(layers: Iterable[Layer]) -> list[ViewerSegmentation]:
    """Every segmentation among the layers of a viewer, in their order; region layers last."""
    from napari.layers import Labels

    layers = list(layers)
    display_axes = uses_display_axes(layers)
    single: list[ViewerSegmentation] = []
    for layer in layers:
        if not isinstance(layer, Labels) or layer.multiscale or layer.ndim != 3:
            continue
        if region_of(layer) is not None or reference_of(layer) is not None:
            continue
        everywhere = dict.fromkeys(Region, layer)
        origin = source_role_of(layer.metadata)
        if origin is not None and origin.kind is LayerKind.BRAIN:
            continue
        case, scheme = (origin.case, origin.scheme) if origin is not None else (None, None)
        single.append(ViewerSegmentation(layer.name, everywhere, case, scheme, display_axes))
    cases = ((case, region_layers(layers, case)) for case in cases_among(layers))
    groups = [ViewerSegmentation(case.name, regions, case) for case, regions in cases if regions]
    return single + groups


def _plane(layer: Labels, case: Case | None) -> MidsagittalPlane | None:
    """Midsagittal plane of a case, which is kept for its layer; None without a case."""
    if case is None:
        return None
    if layer not in _PLANES:
        _PLANES[layer] = midsagittal_plane(case)
    return _PLANES[layer]
