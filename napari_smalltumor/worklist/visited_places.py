"""Which of the candidates and small lesions of a case under review the reader has gone to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
import numpy.typing as npt
from smalltumor.cohort.results.results import ListedLesion

from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

if TYPE_CHECKING:
    from napari.components import ViewerModel

_NEAR_MM = 3.0


class VisitedPlaces:
    """Follows the crosshair: a place is visited when it was there, by a key, a row or a click.

    Parameters
    ----------
    viewer : ViewerModel
    is_active : callable
        Whether the patient under review is the active one.
    """

    def __init__(self, viewer: ViewerModel, is_active: Callable[[], bool]) -> None:
        self._viewer, self._is_active = ref(viewer), is_active
        self._listed: Sequence[ListedLesion] = ()
        self._places: npt.NDArray[np.float64] | None = None
        self._reach: npt.NDArray[np.float64] = np.zeros(0)
        self._visited = np.zeros(0, bool)
        viewer.dims.events.point.connect(self._on_point)

    def begin(self, listed: Sequence[ListedLesion]) -> None:
        """Follow the places of another case, of which none was visited."""
        self._listed, self._places = listed, None
        self._visited = np.zeros(len(listed), bool)

    @property
    def count(self) -> int:
        """Number of places."""
        return len(self._listed)

    @property
    def remaining(self) -> int:
        """Number of places that were not visited."""
        return int(np.count_nonzero(~self._visited))

    def _on_point(self, event: object = None) -> None:
        viewer = self._viewer()
        if viewer is None or self._visited.all() or not self._is_active():
            return
        if self._places is None:
            self._find(viewer)
        if self._places is not None:
            away = np.abs(self._places - np.asarray(viewer.dims.point)[-3:])
            self._visited |= np.all(away <= self._reach, axis=1)

    def _find(self, viewer: ViewerModel) -> None:
        """Find where the places are, and how near the crosshair has to come to each."""
        case = case_to_export(viewer)
        layers = {} if case is None else region_layers(viewer.layers, case)
        if case is None or not layers:
            return
        source = ViewerSegmentation(case.name, layers, case)
        self._places = np.array([source.world_of(lesion.centre) for lesion in self._listed])
        volumes = np.array([lesion.mm3 for lesion in self._listed])
        radii = np.cbrt(3 * volumes / (4 * np.pi))
        self._reach = np.maximum(radii[:, None], np.maximum(_NEAR_MM, _steps_of(source)))


def _steps_of(source: ViewerSegmentation) -> npt.NDArray[np.float64]:
    """Size of a voxel along each axis of the layers."""
    return np.abs(np.asarray(source.any_layer.scale, dtype=np.float64))[-3:]
