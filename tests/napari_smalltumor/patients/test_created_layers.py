"""Labels, points and shapes that the user creates are the active patient's by name and place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import case_along
from qtpy.QtWidgets import QApplication
from smalltumor.data.case import Case
from smalltumor.geometry.grid import Grid

from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import case_of, source_role_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up

NEW: dict[str, Callable[[ViewerModel], None]] = {
    "Labels": lambda viewer: viewer._new_labels(),
    "Points": lambda viewer: viewer.add_points(ndim=3),
    "Shapes": lambda viewer: viewer.add_shapes(ndim=3),
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    monkeypatch.setattr(QApplication, "instance", lambda: None)


def show_images(viewer: ViewerModel, name: str, folder: str = "", *, cropped: bool = False) -> None:
    case = case_along(name=name)
    if cropped:
        volumes = {modality: volume[:3, :3, :3] for modality, volume in case.volumes.items()}
        case = Case(name, volumes, Grid((3, 3, 3), case.grid.affine))
    case.folder = Path("/data") / folder / name if folder else None
    set_up(viewer)
    for data, attributes, _ in image_layers(case):
        viewer.add_image(data, **attributes)


@pytest.mark.parametrize("kind", NEW)
def test_a_layer_that_is_created_while_a_hidden_one_is_selected_is_the_active_patients(
    viewer, kind
):
    show_images(viewer, "R9", cropped=True)
    show_images(viewer, "P7")
    viewer.layers.selection = {viewer.layers["R9 T1CE"]}
    NEW[kind](viewer)
    created = viewer.layers[-1]
    assert patient_of(created) == active_patient(viewer).current
    assert created.name == f"P7 {kind}"
    if kind == "Labels":
        own = viewer.layers["P7 T1CE"]
        assert created.data.shape == own.data.shape and not np.any(created.data)
        for name in ("scale", "translate", "units", "axis_labels"):
            assert np.array_equal(getattr(created, name), getattr(own, name))
        provenance = source_role_of(created.metadata)
        assert provenance is not None and provenance.case is case_of(own)


def test_a_hidden_layer_among_the_selected_ones_gives_new_labels_no_place(viewer):
    show_images(viewer, "R9", cropped=True)
    show_images(viewer, "P7")
    viewer.layers.selection = {viewer.layers["R9 T1CE"], viewer.layers["P7 T1CE"]}
    viewer._new_labels()
    assert viewer.layers["P7 Labels"].data.shape == viewer.layers["P7 T1CE"].data.shape


@pytest.mark.parametrize("kind", NEW)
def test_a_created_layer_has_the_title_once_and_follows_it(viewer, kind):
    show_images(viewer, "P7", folder="visit1")
    show_images(viewer, "P7", folder="visit2")
    viewer.layers.selection.active = viewer.layers["P7 (visit2) T1CE"]
    for _ in range(2):
        NEW[kind](viewer)
    rest = "T1CE - Labels" if kind == "Labels" else kind
    names = [layer.name for layer in viewer.layers[-2:]]
    assert names[0] == f"P7 (visit2) {rest}" and names[1].startswith(names[0])
    for layer in list(viewer.layers):
        if layer.name.startswith("P7 (visit1)"):
            layer.locked = False
            viewer.layers.remove(layer)
    assert viewer.layers[-2].name == f"P7 {rest}"


def test_an_empty_layer_that_a_plugin_has_named_keeps_its_name(viewer):
    show_images(viewer, "P7")
    assert viewer.add_points(ndim=3, name="seeds").name == "seeds"


def test_layers_created_before_a_patient_is_open_keep_their_names(viewer):
    set_up(viewer)
    assert viewer.add_points(ndim=3).name == "Points"


def test_no_layer_of_another_patient_stays_selected_after_a_switch(viewer):
    show_images(viewer, "R9")
    show_images(viewer, "P7")
    first, second = viewer.layers["R9 T1CE"], viewer.layers["P7 T1CE"]
    viewer.layers.selection = {first, second}
    active_patient(viewer).activate(patient_of(first))
    assert viewer.layers.selection == {first}
