"""Each role has one owner, whatever the user does with the layers in napari."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers._layer_actions import (
    _convert_to_image,
    _convert_to_labels,
    _duplicate_layer,
    _project,
    _split_stack,
)
from napari_cases import case_along
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.layers.create import image_layers, labels_layer
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.layers.metadata import (
    LayerKind,
    case_of,
    claim_roles,
    region_layers,
    role_of,
    same_case,
    set_role,
    source_role_of,
)


def layers_of_a_case() -> list[Layer]:
    """Four images, three regions and an expert's labels."""
    case = case_along()
    mask = np.ones(case.grid.shape, bool)
    data = image_layers(case)
    data += [region_layer(case, region, mask) for region in Region]
    data.append(labels_layer(case, mask.astype(np.uint8), SCHEMES["brats2018"]))
    return [Layer.create(*each) for each in data]


def duplicate(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.selection = {layer}
    _duplicate_layer(viewer.layers)


def convert(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.selection = {layer}
    if layer._type_string == "labels":
        _convert_to_image(viewer.layers)
    else:
        _convert_to_labels(viewer.layers)


def project(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.selection = {layer}
    viewer.layers.selection.active = layer
    if layer._type_string == "image" and layer.ndim == 3:
        _project(viewer.layers)


def split(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.selection.active = layer
    if layer._type_string == "image" and layer.ndim == 3:
        _split_stack(viewer.layers)


def copy_by_tuple(viewer: ViewerModel, layer: Layer) -> None:
    viewer.add_layer(Layer.create(*layer.as_layer_data_tuple()))


def copy_shallow(viewer: ViewerModel, layer: Layer) -> None:
    viewer.add_layer(copy.copy(layer))


def rename(viewer: ViewerModel, layer: Layer) -> None:
    layer.name = "Pat ET"


def replace_data(viewer: ViewerModel, layer: Layer) -> None:
    layer.data = np.zeros_like(layer.data)


def replace_metadata(viewer: ViewerModel, layer: Layer) -> None:
    layer.metadata = dict(layer.metadata)


def delete(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.remove(layer)


def delete_and_add(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.remove(layer)
    viewer.add_layer(layer)


def move_to_the_top(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))


def move_to_the_bottom(viewer: ViewerModel, layer: Layer) -> None:
    viewer.layers.move(viewer.layers.index(layer), 0)


ACTIONS = (
    duplicate,
    convert,
    project,
    split,
    copy_by_tuple,
    copy_shallow,
    rename,
    replace_data,
    replace_metadata,
    delete,
    delete_and_add,
    move_to_the_top,
    move_to_the_bottom,
)


@pytest.mark.slow
@given(steps=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 99)), max_size=6))
@settings(max_examples=20, deadline=None)
def test_any_sequence_of_actions_leaves_each_role_with_its_first_owner(steps):
    viewer = ViewerModel()
    claim_roles(viewer)
    originals = [viewer.add_layer(layer) for layer in layers_of_a_case()]
    roles = [role_of(layer) for layer in originals]
    assert all(role is not None for role in roles)
    for action, number in steps:
        if viewer.layers:
            action(viewer, viewer.layers[number % len(viewer.layers)])
    for layer, role in zip(originals, roles, strict=True):
        assert role_of(layer) is role
    for layer in viewer.layers:
        assert layer in originals or role_of(layer) is None


def test_a_layer_owns_its_role_before_anything_can_copy_it(viewer):
    claim_roles(viewer)
    original = viewer.add_layer(layers_of_a_case()[-1])
    duplicated = copy.copy(original)
    assert role_of(duplicated) is None
    assert role_of(original).kind == LayerKind.TISSUE_CLASSES


def test_a_duplicate_never_owns_the_role_even_if_its_role_is_requested_first(viewer):
    original = viewer.add_layer(layers_of_a_case()[-1])
    duplicate(viewer, original)
    assert role_of(viewer.layers[1]) is None
    assert role_of(original).kind == LayerKind.TISSUE_CLASSES


def test_a_conversion_never_owns_the_role_even_if_its_role_is_requested_first(viewer):
    viewer.add_layer(layers_of_a_case()[-1])
    convert(viewer, viewer.layers[0])
    assert viewer.layers[0]._type_string == "image"
    assert role_of(viewer.layers[0]) is None


def test_a_copy_keeps_the_case_for_saving_but_not_the_result(viewer):
    original = viewer.add_layer(layers_of_a_case()[4])
    case = case_of(original)
    role = role_of(original)
    set_role(original, type(role)(role.kind, case, region=role.region, result=object()))
    duplicate(viewer, original)
    origin = source_role_of(viewer.layers[1].metadata)
    assert origin.case is case
    assert origin.result is None
    assert role_of(original).result is not None


@pytest.mark.parametrize("metadata", [{}, {"smalltumor": None}, {"smalltumor": {"case": 3}}])
def test_metadata_of_other_plugins_give_no_role(viewer, metadata):
    layer = viewer.add_labels(np.zeros((2, 3, 4), np.uint8), metadata=metadata)
    assert role_of(layer) is None
    assert source_role_of(layer.metadata) is None
    assert region_layers(viewer.layers, case_along()) == {}


def test_masks_of_one_name_in_two_folders_are_two_cases():
    grid = Grid((4, 4, 4), np.eye(4))
    one, other = (Case("P", {}, grid, labels_path=Path(f"{v}/P_seg.nii.gz")) for v in ("v1", "v2"))
    assert not same_case(one, other)
    assert same_case(one, replace(one))


def test_a_case_is_the_same_when_an_image_is_added_or_left_out():
    whole = case_along()
    paths = {m: Path(f"Pat/Pat_{m}.nii.gz") for m in whole.volumes}
    whole.paths = paths
    without = replace(whole, paths={m: p for m, p in paths.items() if m != "flair"})
    elsewhere = replace(
        whole, paths=paths | {"flair": Path("new/FLAIR.nii.gz")}, folder=Path("Pat")
    )
    assert same_case(without, whole) and same_case(whole, elsewhere)
    other_t1ce = replace(whole, paths=paths | {"t1ce": Path("Pat/again/Pat_t1ce.nii.gz")})
    assert not same_case(whole, other_t1ce)
    assert not same_case(replace(whole, paths={"flair": paths["flair"]}), whole)
