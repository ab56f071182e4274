"""Alt and click: add the bright spot under the cursor to ET, or take a lesion away.

The plane under the cursor, or napari's canvas, tells the place. With Alt a spot is grown there and
added; with Alt and Shift the lesion of the mask there is deleted. Both are steps of the review.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QTimer
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion, LesionList, measure_lesion

from napari_smalltumor.layers.editing.earlier_scan import earlier_scan_is_shown
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.large_deletion import Confirm, confirm_deletion
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.second_look.status import grower_of, second_look_status
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.linked_planes import linked_planes

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

CLICKED_ID = 2_000_000
"""`id` of a lesion that was grown at a click, until the mask is searched again."""


@dataclass(eq=False)
class ReviewClicks:
    """Handles Alt and click in the planes and on napari's canvas.

    Parameters
    ----------
    viewer : ViewerModel
    review : LesionReview
    say : callable
        Shows a message.
    search : callable
        Starts a search for lesions.
    confirm : callable, optional
        Asks whether to delete what is not small; by default that is deleted.
    """

    viewer: ViewerModel
    review: LesionReview
    say: Callable[[str], None]
    search: Callable[[], None]
    confirm: Confirm = lambda text: True

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Connect to the viewer; call it after `close`."""
        linked_planes(self.viewer).alt_clicked.connect(self.on_click)
        self.viewer.mouse_drag_callbacks.append(self._on_canvas)

    def close(self) -> None:
        """Disconnect from the viewer; may be called twice."""
        linked_planes(self.viewer).alt_clicked.disconnect(self.on_click, missing_ok=True)
        if self._on_canvas in self.viewer.mouse_drag_callbacks:
            self.viewer.mouse_drag_callbacks.remove(self._on_canvas)

    def on_click(self, point: Sequence[float], take_away: bool) -> None:
        """Add what is at a point of the world, or take it away."""
        source = self.review.source
        if source is None or self.review.region is not Region.ET:
            self.say(texts.NOT_ET)
        elif earlier_scan_is_shown(self.viewer.layers):
            self.say(texts.EARLIER_SCAN)
        elif take_away:
            self._take_away(source.voxel_at(point))
        else:
            self._add(source.voxel_at(point))

    def _add(self, voxel: tuple[int, int, int]) -> None:
        source = self.review.source
        assert source is not None
        layer = source.layers[Region.ET]
        grower = grower_of(layer)
        if grower is None:
            self.say(texts.no_second_look_text(second_look_status(source)))
            return
        mask = source.volume(Region.ET)
        if all(0 <= n < size for n, size in zip(voxel, mask.shape, strict=True)) and mask[voxel]:
            self.say(texts.IN_MASK)
            return
        voxels = grower.grow(voxel, mask)
        if not _reaches(voxels, voxel):
            self.say(texts.NOTHING_ENHANCES)
            return
        grown = measure_lesion(*(CLICKED_ID, voxels, source.grid, Region.ET), lookup=grower.lookup)
        lesion = replace(grown, list_name=LesionList.SECOND_LOOK)
        hidden = self.review.unseen.of_addition(lesion)
        if hidden is not None:
            self.say(texts.hidden_layer_text(hidden))
        elif self.review.add(lesion):
            self.say(texts.added_text(lesion))
            self.search()

    def _take_away(self, voxel: tuple[int, int, int]) -> None:
        lesion = next((x for x in self.review.lesions if _holds(x, voxel)), None)
        if lesion is None:
            self.say(texts.NO_LESION_HERE)
            return
        hidden = self.review.unseen.of_deletion([lesion])
        if hidden is not None:
            self.say(texts.hidden_layer_text(hidden))
        elif confirm_deletion(self.review, [lesion], self.confirm):
            self.say(texts.deleted_text(self.review.delete([lesion])))
            self.search()

    def _on_canvas(self, viewer: ViewerModel, event: Any) -> None:
        # vispy's keys equal their names, but their str is another text.
        if event.type != "mouse_press" or event.button != 1 or "Alt" not in event.modifiers:
            return
        _keep_from(viewer.layers.selection.active)
        event.handled = True
        if viewer.dims.ndisplay != 2:
            self.say(texts.NOT_IN_3D)
            return
        take_away = "Shift" in event.modifiers
        clicked = partial(self._on_canvas_clicked, tuple(event.position), take_away, self._patient)
        # After the press: a question would let napari call the layer's callbacks with it.
        QTimer.singleShot(0, clicked)

    def _on_canvas_clicked(
        self, point: Sequence[float], take_away: bool, patient: Patient | None
    ) -> None:
        if self._on_canvas not in self.viewer.mouse_drag_callbacks:  # closed meanwhile
            return
        if self._patient == patient:
            self.on_click(point, take_away)
        else:
            self.say(texts.OTHER_PATIENT)

    @property
    def _patient(self) -> Patient | None:
        return active_patient(self.viewer).current


def _keep_from(layer: Layer | None) -> None:
    """Keep the press that is being handled from a layer's brush, eraser or other tool.

    napari calls the layer's callbacks after the viewer's, whether or not the event was handled.
    """
    if layer is None:
        return
    callbacks = layer.mouse_drag_callbacks
    kept = list(callbacks)
    callbacks.clear()
    QTimer.singleShot(0, lambda: callbacks.extend(kept))


def _reaches(voxels: npt.NDArray[np.int64], clicked: tuple[int, int, int]) -> bool:
    """Whether a grown lesion holds the clicked voxel or one that touches it."""
    return bool(np.any(np.all(np.abs(voxels - clicked) <= 1, axis=1)))


def _holds(lesion: Lesion, voxel: tuple[int, int, int]) -> bool:
    if lesion.indices is None:
        return False
    return bool(np.all(lesion.indices == voxel, axis=1).any())
