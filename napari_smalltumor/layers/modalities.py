"""Assign layers to modalities, and build a case from layers of any origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from smalltumor.data import case_files
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.case_files import MODALITIES, MODALITY_TITLES
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.geometry.grid import Grid, reoriented

from napari_smalltumor.layers.coordinates import (
    display_shape,
    from_display,
    grid_of_layer,
    to_display,
    uses_display_axes,
)
from napari_smalltumor.layers.metadata import case_of, role_of, same_case

if TYPE_CHECKING:
    from napari.layers import Image, Layer

Choice = dict[str, "Image | None"]

ASSUMED_ORIENTATION = (
    "the layers do not say where left and right are; their axes were taken to run up the head, "
    "to the back, and to the patient's left"
)
ASSUMED_SAME_AXES = (
    "layers that do not say where left and right are were taken to lie as the others do"
)


def images(layers: Iterable[Layer]) -> list[Image]:
    """The layers that could be a modality: 3D images without colour."""
    return [
        layer  # type: ignore[misc]
        for layer in layers
        if layer._type_string == "image" and layer.ndim == 3 and not getattr(layer, "rgb", False)
    ]


def modality_of(layer: Layer) -> str | None:
    """The modality of a layer, from its role or else from its name."""
    role = role_of(layer)
    if role is not None and role.modality is not None:
        return role.modality
    match = case_files.role_of(Path(f"{layer.name}.nii"))
    return match[1] if match is not None and match[1] in MODALITIES else None


def fill_missing(chosen: Mapping[str, Image | None], layers: Iterable[Layer]) -> Choice:
    """Choose a layer for every modality that has none or whose layer was removed.

    If possible, all four belong to one case: the case of the layers chosen already, or else the
    case opened last.

    Parameters
    ----------
    chosen : mapping of modality to layer or None
    layers : iterable of layers
        Of the viewer, oldest first.
    """
    there = images(layers)
    kept = {m: layer if layer in there else None for m, layer in chosen.items()}
    groups = _groups(there)
    if any(kept.values()):
        groups.sort(key=lambda g: sum(g.get(m) is kept[m] for m in g if kept.get(m) is not None))
    best = groups[-1] if groups else {}
    return {m: kept.get(m) or best.get(m) for m in MODALITIES}


def newest_case_layers(layers: Iterable[Layer]) -> Choice:
    """The layers of the case that was opened last."""
    return fill_missing(dict.fromkeys(MODALITIES), layers)


def sibling_layers(layer: Image, modality: str, layers: Iterable[Layer]) -> Choice | None:
    """All four layers of the case that a layer belongs to, or None if it has not all four."""
    for group in reversed(_groups(images(layers))):
        if group.get(modality) is layer and len(group) == len(MODALITIES):
            return {m: group[m] for m in MODALITIES}
    return None


def case_of_layers(chosen: Mapping[str, Image | None]) -> Case:
    """A case of four layers.

    Parameters
    ----------
    chosen : mapping of modality to layer

    Returns
    -------
    Case
        The case that the layers were created from if they are its four images, else a new case on
        the grid of T1CE.

    Raises
    ------
    CaseError
        If a modality has no layer, or a layer is chosen for two.
    GridMismatchError
        If the layers are on different grids.
    """
    layers = _complete(chosen)
    case = case_of(layers[REFERENCE])
    if case is not None and all(_is_original(layers[m], case, m) for m in MODALITIES):
        return case
    display_axes = uses_display_axes(layers.values())
    placed = {m: _upright(layer, display_axes) for m, layer in layers.items()}
    reference = placed[REFERENCE][1]
    for modality, (_, grid) in placed.items():
        if not reoriented(grid).matches(reoriented(reference)):
            raise GridMismatchError(
                f"{layers[modality].name} is on another grid than {layers[REFERENCE].name}: "
                f"{grid.describe()}; expected {reference.describe()}"
            )
    volumes = {m: from_display(data, reference) for m, (data, _) in placed.items()}
    return Case(
        name=_name(layers[REFERENCE]),
        volumes={m: volumes[m] for m in MODALITIES},
        grid=reference,
        header=case.header if case is not None else None,
        paths=_paths(layers),
        warnings=_warnings(layers, display_axes),
    )


def _groups(layers: Iterable[Image]) -> list[dict[str, Image]]:
    """Layers by case and modality: incomplete cases first, then in the order of opening."""
    groups: list[tuple[str, dict[str, Image]]] = []
    for layer in layers:
        modality = modality_of(layer)
        if modality is None:
            continue
        key = _name(layer)
        for known, group in groups:
            if known == key and modality not in group and _may_join(layer, group.values()):
                group[modality] = layer
                break
        else:
            groups.append((key, {modality: layer}))
    return sorted((group for _, group in groups), key=lambda g: len(g) == len(MODALITIES))


def _may_join(layer: Image, others: Iterable[Image]) -> bool:
    """Whether a layer can be of the same case as others of the same name."""
    case = case_of(layer)
    full = [c for c in map(case_of, others) if c is not None and len(c.volumes) > 1]
    if case is None or len(case.volumes) < 2 or not full:
        return True
    return any(same_case(case, c) for c in full)


def _complete(chosen: Mapping[str, Image | None]) -> dict[str, Image]:
    layers = {m: chosen.get(m) for m in MODALITIES}
    missing = [MODALITY_TITLES[m] for m, layer in layers.items() if layer is None]
    if missing:
        raise CaseError(f"choose a layer for {' and '.join(missing)}")
    there = {m: layer for m, layer in layers.items() if layer is not None}
    for modality, layer in there.items():
        double = [m for m, other in there.items() if other is layer]
        if len(double) > 1:
            titles = " and ".join(MODALITY_TITLES[m] for m in double)
            raise CaseError(f"{layer.name} is chosen for {titles}; each needs its own layer")
        if _array(layer).ndim != 3:
            raise CaseError(f"{layer.name}, chosen for {MODALITY_TITLES[modality]}, is not 3D")
    return there


def _is_original(layer: Image, case: Case, modality: str) -> bool:
    if case_of(layer) is not case or modality not in case.volumes:
        return False
    return np.may_share_memory(_array(layer), case.volumes[modality])


def _upright(layer: Image, display_axes: bool) -> tuple[npt.NDArray[np.generic], Grid]:
    """A layer's data along (I, P, L), and its grid."""
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
    match = case_files.role_of(Path(f"{layer.name}.nii"))
    return str(layer.name) if match is None else match[0] or "case"


def _paths(layers: Mapping[str, Image]) -> dict[str, Path]:
    found = {}
    for modality, layer in layers.items():
        case = case_of(layer)
        if case is not None and modality in case.paths:
            found[modality] = case.paths[modality]
    return found


def _warnings(layers: Mapping[str, Image], display_axes: bool) -> list[str]:
    found: list[str] = []
    for case in map(case_of, layers.values()):
        found += [d for d in (case.warnings if case is not None else ()) if d not in found]
    if any(case_of(layer) is None for layer in layers.values()):
        found.append(ASSUMED_SAME_AXES if display_axes else ASSUMED_ORIENTATION)
    return found
