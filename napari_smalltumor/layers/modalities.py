"""Assign layers to modalities, and create a case from layers of any reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.loaded_images import LoadedImage
from smalltumor.data.naming import file_names
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES
from smalltumor.errors import Action, CaseError, GridMismatchError, Remedy
from smalltumor.geometry.grid import Grid, reoriented
from smalltumor.text import list_text

from napari_smalltumor.layers.coordinates import (
    display_shape,
    from_display,
    grid_of_layer,
    to_display,
    uses_display_axes,
)
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import case_of, role_of, same_case
from napari_smalltumor.layers.patient import patient_of, patient_of_case
from napari_smalltumor.layers.previews import is_preview

if TYPE_CHECKING:
    from napari.layers import Image, Layer

Choice = dict[str, "Image | None"]

ASSUMED_ORIENTATION = (
    "the layers have no anatomical orientation; their axes are assumed to point to superior, "
    "posterior and the patient's left"
)
ASSUMED_SAME_AXES = (
    "layers without anatomical orientation are assumed to have the same axes as the others"
)


def images(layers: Iterable[Layer]) -> list[Image]:
    """The layers that can be assigned to a modality: 3D grayscale images of the current scan."""
    return [layer for layer in layers if _is_volume(layer) and not is_earlier_scan(layer)]


def _is_volume(layer: Layer) -> bool:
    return layer._type_string == "image" and layer.ndim == 3 and not getattr(layer, "rgb", False)


def modality_of(layer: Layer) -> str | None:
    """The modality of a layer, from its role or otherwise from its name."""
    role = role_of(layer)
    if role is not None and role.modality is not None:
        return role.modality
    match = file_names.parse_file_name(Path(f"{layer.name}.nii"))
    return match[1] if match is not None and match[1] in MODALITIES else None


def misassigned(chosen: Mapping[str, Layer | None]) -> list[str]:
    """Name the layers that are chosen for another modality than their own, one text for each."""
    texts = []
    for modality, layer in chosen.items():
        own = modality_of(layer) if layer is not None else None
        if layer is not None and own not in (None, modality):
            titles = MODALITY_TITLES[own], MODALITY_TITLES[modality]
            texts.append(f"{layer.name} is {titles[0]}, but is chosen as {titles[1]}")
    return texts


def fill_missing(chosen: Mapping[str, Image | None], layers: Iterable[Layer]) -> Choice:
    """Choose a layer for each modality that has none or whose layer was removed.

    If possible, all four layers belong to one case: that of the layers already chosen, or
    otherwise the case that was opened last.

    Parameters
    ----------
    chosen : mapping of modality to layer or None
    layers : iterable of layers
        The viewer's layers, oldest first.
    """
    existing = images(layers)
    valid = {m: layer if layer in existing else None for m, layer in chosen.items()}
    groups = _groups(existing)
    if any(valid.values()):
        groups.sort(key=lambda g: sum(g.get(m) is valid[m] for m in g if valid.get(m) is not None))
    best = groups[-1] if groups else {}
    return {m: valid.get(m) or best.get(m) for m in MODALITIES}


def sibling_layers(layer: Image, modality: str, layers: Iterable[Layer]) -> Choice | None:
    """All four layers of the case that a layer belongs to, or None if any is missing."""
    for group in reversed(_groups(images(layers))):
        if group.get(modality) is layer and len(group) == len(MODALITIES):
            return {m: group[m] for m in MODALITIES}
    return None


def case_of_layers(chosen: Mapping[str, Image | None]) -> Case:
    """Create a case from layers.

    Parameters
    ----------
    chosen : mapping of modality to layer or None
        T1, T2 and FLAIR may have no layer.

    Returns
    -------
    Case
        The case from which the layers were created, without the images that are not chosen;
        otherwise a new case on the grid of T1CE.

    Raises
    ------
    CaseError
        If T1CE has no layer, one layer is chosen for two modalities, or one shows a preview.
    GridMismatchError
        If the layers are on different grids.
    """
    layers = _usable(chosen)
    case = case_of(layers[REFERENCE])
    if case is not None and all(_is_original(layers[m], case, m) for m in layers):
        complete = len(layers) == len(case.volumes)
        return case if complete else replace(case, volumes={m: case.volumes[m] for m in layers})
    display_axes = uses_display_axes(layers.values())
    placed = {m: _upright(layer, display_axes) for m, layer in layers.items()}
    reference = placed[REFERENCE][1]
    for modality, (_, grid) in placed.items():
        if not reoriented(grid).matches(reoriented(reference)):
            raise GridMismatchError(
                f"{layers[modality].name} is on another grid than {layers[REFERENCE].name}: "
                f"{grid.describe()}; expected {reference.describe()}",
                Remedy(Action.RESAMPLE),
            )
    volumes = {m: from_display(data, reference) for m, (data, _) in placed.items()}
    created = Case(
        name=_name(layers[REFERENCE]),
        volumes=volumes,
        grid=reference,
        header=case.header if case is not None else None,
        paths=_paths(layers),
        loaded_images=_loaded_images(layers),
        warnings=_warnings(layers, display_axes),
    )
    patient = patient_of(layers[REFERENCE])
    if patient is not None and patient != patient_of_case(created):
        created.name, created.folder = patient.name, patient.folder
    return created


def _groups(layers: Iterable[Image]) -> list[dict[str, Image]]:
    """Layers grouped by case, incomplete cases first, otherwise in the order of opening."""
    groups: list[dict[str, Image]] = []
    for layer in layers:
        modality = modality_of(layer)
        if modality is None:
            continue
        for group in groups:
            if modality not in group and _can_join(layer, group.values()):
                group[modality] = layer
                break
        else:
            groups.append({modality: layer})
    return sorted(groups, key=lambda group: len(group) == len(MODALITIES))


def _can_join(layer: Image, others: Iterable[Image]) -> bool:
    """Whether a layer can belong to the same case as other layers.

    Layers of an unknown patient go by their names.
    """
    others = list(others)
    patients = {p for x in (layer, *others) if (p := patient_of(x)) is not None}
    if len(patients) > 1 or {_name(x) for x in others} != {_name(layer)}:
        return False
    case = case_of(layer)
    multi_volume = [c for c in map(case_of, others) if c is not None and len(c.volumes) > 1]
    if case is None or len(case.volumes) < 2 or not multi_volume:
        return True
    return any(same_case(case, c) for c in multi_volume)


def _usable(chosen: Mapping[str, Image | None]) -> dict[str, Image]:
    layers = {m: layer for m in MODALITIES if (layer := chosen.get(m)) is not None}
    if REFERENCE not in layers:
        raise CaseError(f"Choose a layer for {MODALITY_TITLES[REFERENCE]}")
    for modality, layer in layers.items():
        duplicates = [m for m, other in layers.items() if other is layer]
        if len(duplicates) > 1:
            titles = list_text(MODALITY_TITLES[m] for m in duplicates)
            raise CaseError(f"{layer.name} is chosen for {titles}; each needs its own layer")
        if is_earlier_scan(layer):
            raise CaseError(f"{layer.name} is of an earlier scan; choose a current image")
        if is_preview(layer):
            raise CaseError(
                f"{layer.name} is shown with a registration that is not applied; apply it or "
                "reset it in the Prepared scan dock first"
            )
        if _array(layer).ndim != 3:
            raise CaseError(f"{layer.name}, chosen for {MODALITY_TITLES[modality]}, is not 3D")
    return layers


def _is_original(layer: Image, case: Case, modality: str) -> bool:
    if case_of(layer) is not case or modality not in case.volumes:
        return False
    return np.may_share_memory(_array(layer), case.volumes[modality])


def _upright(layer: Image, display_axes: bool) -> tuple[npt.NDArray[np.generic], Grid]:
    """A layer's data with axes (I, P, L), and its grid."""
    data, case = _array(layer), case_of(layer)
    if case is not None and display_shape(case.grid) == data.shape:
        return data, case.grid
    grid = grid_of_layer(data.shape, layer.as_layer_data_tuple()[1], display_axes=display_axes)
    return to_display(data, grid), grid


def _array(layer: Image) -> npt.NDArray[np.generic]:
    data: Any = layer.data[0] if layer.multiscale else layer.data
    return np.asarray(data)


def _name(layer: Image) -> str:
    case = case_of(layer)
    if case is not None:
        return case.name
    match = file_names.parse_file_name(Path(f"{layer.name}.nii"))
    return str(layer.name) if match is None else match[0] or "case"


def _paths(layers: Mapping[str, Image]) -> dict[str, Path]:
    found = {}
    for modality, layer in layers.items():
        case = case_of(layer)
        if case is not None and modality in case.paths:
            found[modality] = case.paths[modality]
        elif case is not None and len(case.paths) == 1:  # a file whose name states no modality
            found[modality] = next(iter(case.paths.values()))
    return found


def _loaded_images(layers: Mapping[str, Image]) -> dict[Path, LoadedImage]:
    paths, cases = set(_paths(layers).values()), map(case_of, layers.values())
    found = [case.loaded_images for case in cases if case is not None]
    return {path: image for read in found for path, image in read.items() if path in paths}


def _warnings(layers: Mapping[str, Image], display_axes: bool) -> list[str]:
    found: list[str] = []
    for case in map(case_of, layers.values()):
        found += [d for d in (case.warnings if case is not None else ()) if d not in found]
    if any(case_of(layer) is None for layer in layers.values()):
        found.append(ASSUMED_SAME_AXES if display_axes else ASSUMED_ORIENTATION)
    return found
