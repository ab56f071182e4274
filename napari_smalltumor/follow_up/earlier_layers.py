"""The earlier scan as layers of the active patient: T1CE and, as the reference, its regions.

They cannot be painted, and are never exported, listed or autosaved. While the earlier scan is shown
no tool that paints stays chosen: a stroke belongs to the current scan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from smalltumor.data.case import REFERENCE

from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.shown_reference import show_reference
from napari_smalltumor.follow_up.canvas_mark import CanvasMark
from napari_smalltumor.follow_up.comparison import Comparison
from napari_smalltumor.follow_up.paint_guard import PaintGuard
from napari_smalltumor.layers.coordinates import display_transform
from napari_smalltumor.layers.create import contrast_limits
from napari_smalltumor.layers.editing.earlier_scan import (
    are_earlier_contours,
    is_earlier_scan,
    mark_as_earlier_contours,
    mark_as_earlier_scan,
    title_of_earlier_scan,
)
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.metadata import LayerKind, LayerRole, role_of
from napari_smalltumor.layers.patient import (
    Patient,
    assign,
    layers_of_patient,
    patient_of_shown_case,
)
from napari_smalltumor.layers.selection import selection_untouched
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.kept_selection import selection_kept
from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

_EARLIER: WeakKeyDictionary[Layer, list[Layer]] = WeakKeyDictionary()
"""Layers of an earlier T1CE, each with the images that it has hidden."""

_GUARDS: WeakKeyDictionary[Layer, PaintGuard] = WeakKeyDictionary()
_MARKS: WeakKeyDictionary[Layer, CanvasMark] = WeakKeyDictionary()


def show_earlier(viewer: ViewerModel, comparison: Comparison) -> Image:
    """Add the earlier T1CE, hidden, and the contours of its regions; return its layer.

    A reference that the user has chosen stays in place of the contours.
    """
    from napari.layers import Image

    case = comparison.case
    patient = patient_of_shown_case(viewer.layers, case)
    remove_earlier(viewer, patient)
    volume = comparison.follow_up.earlier.case.volumes[REFERENCE]
    layer = Image(
        comparison.image,
        name=f"{case.name} earlier scan",
        colormap="gray",
        contrast_limits=contrast_limits(volume, REFERENCE),
        interpolation2d="linear",
        visible=False,
        metadata=LayerRole(LayerKind.IMAGE, case).metadata(),
        **display_transform(case.grid),
    )
    assign(layer, patient)
    mark_as_earlier_scan(layer, comparison.title)
    _EARLIER[layer] = []
    _guard(viewer, layer, _show_current)
    _show_images_of_removed(viewer)
    _guard_copies(viewer)
    with active_patient(viewer).in_background(), selection_untouched(viewer):
        viewer.layers.insert(_index_above_images(viewer, patient), layer)
    if not has_reference(viewer, patient):
        show_earlier_contours(viewer, comparison)
    return layer


def show_earlier_contours(viewer: ViewerModel, comparison: Comparison) -> None:
    """Make the earlier regions the reference, in the place of another one."""
    case = comparison.case
    choice = ReferenceChoice(f"earlier: {comparison.title}", path=comparison.folder)
    show_reference(viewer, case, comparison.masks, choice)
    mark_as_earlier_contours(_references(viewer, patient_of_shown_case(viewer.layers, case)))


def has_reference(viewer: ViewerModel, patient: Patient | None) -> bool:
    """Whether a patient has a reference, of the earlier scan or another one."""
    return bool(_references(viewer, patient))


def contours_are_earlier(viewer: ViewerModel, patient: Patient | None) -> bool:
    """Whether the reference of a patient is the regions of the earlier scan."""
    shown = _references(viewer, patient)
    return bool(shown) and are_earlier_contours(shown)


def remove_earlier(viewer: ViewerModel, patient: Patient | None) -> None:
    """Remove the layers of the earlier scan of a patient, if there are any."""
    layer = earlier_layer(viewer, patient)
    if layer is None:
        return
    _show_current(viewer, layer)
    with selection_kept(viewer):
        viewer.layers.remove(layer)
        if contours_are_earlier(viewer, patient):
            for reference in _references(viewer, patient):
                viewer.layers.remove(reference)


def earlier_layer(viewer: ViewerModel, patient: Patient | None) -> Image | None:
    """The layer of the earlier T1CE of a patient."""
    found = (x for x in layers_of_patient(viewer.layers, patient) if x in _EARLIER)
    return next(found, None)


def flicker(viewer: ViewerModel) -> bool:
    """Switch between the earlier T1CE and the current images; whether the earlier is shown.

    Only images are hidden: the regions stay as they are.
    """
    patients = active_patient(viewer)
    layer = earlier_layer(viewer, patients.current)
    if layer is None:
        status_line(viewer).say("No earlier scan is shown: choose one in the Follow-up dock")
        return False
    status_line(viewer).remove()
    if layer.visible:
        _show_current(viewer, layer)
        return False
    images = [x for x in patients.layers if _is_image(x) and x is not layer and x.visible]
    _EARLIER[layer] = images
    layer.visible = True
    for image in images:
        image.visible = False
    return True


def show_current(viewer: ViewerModel) -> None:
    """Show the current images."""
    layer = earlier_layer(viewer, active_patient(viewer).current)
    if layer is not None:
        _show_current(viewer, layer)


def _show_current(viewer: ViewerModel, layer: Layer) -> None:
    """Show the current images in place of an earlier one, now or when their patient is active."""
    patients = active_patient(viewer)
    if not patients.is_shown(layer):
        return
    for image in _EARLIER[layer]:
        patients.set_shown(image, True)
    patients.set_shown(layer, False)


def _guard(viewer: ViewerModel, layer: Layer, leave: Callable[[ViewerModel, Layer], None]) -> None:
    """Have nothing painted while a layer is shown, and words on the canvas say what it shows."""
    _GUARDS[layer] = PaintGuard(viewer, layer, leave)
    _MARKS[layer] = CanvasMark(viewer, layer, f"earlier scan:\n{title_of_earlier_scan(layer)}")


def _hide(viewer: ViewerModel, layer: Layer) -> None:
    active_patient(viewer).set_shown(layer, False)


@one_per_viewer
def _guard_copies(viewer: ViewerModel) -> Callable[[Any], None]:
    """Guard copies of an earlier T1CE as it is guarded itself."""
    reference = ref(viewer)

    def on_inserted(event: Any) -> None:
        viewer, layer = reference(), event.value
        if viewer is not None and is_earlier_scan(layer) and layer not in _GUARDS:
            _guard(viewer, layer, _hide)
            layer.events.visible()  # it is shown already

    viewer.layers.events.inserted.connect(on_inserted)
    return on_inserted


@one_per_viewer
def _show_images_of_removed(viewer: ViewerModel) -> Callable[[Any], None]:
    """Show the current images whenever an earlier T1CE is deleted while it is shown."""
    reference = ref(viewer)

    def on_removed(event: Any) -> None:
        viewer = reference()
        if viewer is not None and event.value in _EARLIER:
            _show_current(viewer, event.value)

    viewer.layers.events.removed.connect(on_removed)
    return on_removed


def _references(viewer: ViewerModel, patient: Patient | None) -> list[Labels]:
    return list(reference_layers(layers_of_patient(viewer.layers, patient)).values())


def _is_image(layer: Layer) -> bool:
    role = role_of(layer)
    return role is not None and role.kind is LayerKind.IMAGE


def _index_above_images(viewer: ViewerModel, patient: Patient) -> int:
    images = [x for x in layers_of_patient(viewer.layers, patient) if _is_image(x)]
    return max((viewer.layers.index(x) + 1 for x in images), default=len(viewer.layers))
