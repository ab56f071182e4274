"""What the active patient can be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import ref

from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import exports_of
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.masks.reference import reference_layers, reference_of
from napari_smalltumor.layers.metadata import (
    LayerKind,
    ReferenceMask,
    case_of,
    checksum,
    role_of,
    same_case,
)
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_CLASSES = (LayerKind.TISSUE_CLASSES, LayerKind.PREDICTION)


@dataclass(frozen=True, eq=False)
class ReferenceChoice:
    """A mask that can be the reference.

    Parameters
    ----------
    title : str
        The name of its file or layer.
    path : Path, optional
    layer : Labels, optional
        A layer of tissue classes; a choice has either a file or a layer.
    """

    title: str
    path: Path | None = None
    layer: Labels | None = None

    def mask(self, region: Region) -> ReferenceMask:
        """What a layer of this reference shows."""
        layer = ref(self.layer) if self.layer is not None else None
        return ReferenceMask(region, self.title, self.path, layer)

    def is_same(self, other: ReferenceChoice | None) -> bool:
        """Whether both are the same file or layer."""
        return other is not None and self.path == other.path and self.layer is other.layer


def case_to_compare(viewer: ViewerModel) -> Case | None:
    """The case of the active patient that is compared: that of its regions, else of its images."""
    case = case_to_export(viewer)
    if case is not None:
        return case
    cases = [case_of(layer) for layer in active_patient(viewer).layers]
    return next((case for case in cases if case is not None and case.volumes), None)


def reference_choices(viewer: ViewerModel) -> list[ReferenceChoice]:
    """The masks of the active patient that are open as layers, or lie beside its images."""
    case, layers = case_to_compare(viewer), active_patient(viewer).layers
    if case is None:
        return []
    of_layers = [
        _choice_of_layer(viewer, cast("Labels", layer))
        for layer in layers
        if (role := role_of(layer)) is not None and role.kind in _CLASSES
    ]
    expert = expert_file(viewer)
    paths = [expert] if expert is not None else []
    if not case.has_changed_images:
        files = chain.from_iterable(exports_of(case))
        paths += [file.path for file in files if file.region is None]
    return of_layers + [ReferenceChoice(path.name, path=path) for path in paths]


def current_choice(viewer: ViewerModel) -> ReferenceChoice | None:
    """What the reference of the active patient was made of; None without a reference."""
    for layer in reference_layers(active_patient(viewer).layers).values():
        shown = reference_of(layer)
        if shown is not None:
            origin = shown.layer() if shown.layer is not None else None
            if origin is not None:
                return _choice_of_layer(viewer, origin)
            return ReferenceChoice(shown.title, shown.path)
    return None


def expert_file(viewer: ViewerModel) -> Path | None:
    """The expert's mask beside the images of the active patient, unless a layer shows it unedited.

    There is none beside other images than those that are shown, nor one that records others.
    """
    case = case_to_compare(viewer)
    path = case.labels_path if case is not None else None
    if case is None or path is None or case.labels_are_of_others:
        return None
    layer = _expert_layer(viewer, case)
    if layer is not None and not _is_edited(viewer, layer):
        return None
    return path if path.is_file() and not case.has_changed_images else None


def expert_choice(viewer: ViewerModel) -> ReferenceChoice | None:
    """The expert's mask of the active patient: its layer if it is open, else its file.

    The file counts, too, if the layer was edited. There is no comparison of a layer with itself, so
    a layer counts only beside other regions.
    """
    case = case_to_export(viewer)
    layer = _expert_layer(viewer, case) if case is not None else None
    path = expert_file(viewer)
    if path is not None:
        return ReferenceChoice(path.name, path=path)
    return None if layer is None else _choice_of_layer(viewer, layer)


def expert_can_be_compared(viewer: ViewerModel) -> bool:
    """Whether the active patient has an expert's mask that is not the reference."""
    choice = expert_choice(viewer)
    return choice is not None and not choice.is_same(current_choice(viewer))


def _choice_of_layer(viewer: ViewerModel, layer: Labels) -> ReferenceChoice:
    """A layer, whose title says if it does not hold what it was opened with."""
    edited = " (edited)" if _is_edited(viewer, layer) else ""
    return ReferenceChoice(f"{layer.name}{edited}", layer=layer)


def _is_edited(viewer: ViewerModel, layer: Labels) -> bool:
    """Whether a layer was edited since it was opened, also if the edits were saved elsewhere."""
    opened = ensure_autosave(viewer).autosave.baselines.opened_checksum(layer)
    return opened is not None and opened != checksum(layer.data)


def _expert_layer(viewer: ViewerModel, case: Case) -> Labels | None:
    for layer in active_patient(viewer).layers:
        role = role_of(layer)
        if (
            role is not None
            and role.kind is LayerKind.TISSUE_CLASSES
            and same_case(role.case, case)
        ):
            return cast("Labels", layer)
    return None
