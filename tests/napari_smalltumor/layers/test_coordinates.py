"""Layers have the patient's coordinates, whatever the axes of the file."""

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Image
from napari_cases import ORIENTATIONS, displayed, oriented, random_volume
from smalltumor.geometry.grid import Grid

from napari_smalltumor.layers.coordinates import (
    display_transform,
    from_display,
    grid_of_layer,
    to_display,
)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_display_data_do_not_depend_on_the_files_axes(axcodes):
    head = random_volume(0)
    image = oriented(head, axcodes)
    volume = np.asarray(image.dataobj)
    grid = Grid(image.shape, image.affine)
    shown = to_display(volume, grid)
    assert np.array_equal(shown, displayed(head))
    assert np.shares_memory(shown, volume)
    assert np.array_equal(from_display(shown, grid), volume)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_world_coordinates_are_patient_coordinates_in_mm(axcodes):
    image = oriented(random_volume(0), axcodes)
    grid = Grid(image.shape, image.affine)
    brightest = np.unravel_index(np.argmax(image.dataobj), image.shape)
    right, front, top = nib.affines.apply_affine(image.affine, brightest)
    data = to_display(np.asarray(image.dataobj), grid)
    layer = Image(data, **display_transform(grid))
    world = layer.data_to_world(np.unravel_index(np.argmax(data), data.shape))
    assert world == pytest.approx((-top, -front, -right))
    assert np.all(layer.scale > 0)
    assert [str(u) for u in layer.units] == ["millimeter"] * 3


def test_an_oblique_grid_agrees_with_the_patient_at_its_centre():
    rotation = nib.eulerangles.euler2mat(z=0.2, y=0.1)
    affine = nib.affines.from_matvec(rotation @ np.diag([-1, -1.5, 2]), (30, 20, -10))
    grid = Grid((9, 11, 13), affine)
    layer = Image(np.zeros((13, 11, 9)), **display_transform(grid))
    right, front, top = grid.to_patient((4, 5, 6))
    assert layer.data_to_world((6, 5, 4)) == pytest.approx((-top, -front, -right))


def test_the_grid_of_a_layer_is_inferred_from_its_display_transform():
    image = oriented(random_volume(0), "RAS")
    grid = Grid(image.shape, image.affine)
    transform = display_transform(grid)
    data = to_display(np.asarray(image.dataobj), grid)
    inferred = grid_of_layer(
        data.shape, Image(data, **transform).as_layer_data_tuple()[1], display_axes=True
    )
    assert np.array_equal(to_display(data, inferred), data)
    for key, value in display_transform(inferred).items():
        numeric = key in ("scale", "translate")
        assert value == (pytest.approx(transform[key]) if numeric else transform[key])


def test_the_grid_of_a_rotated_and_sheared_layer_has_its_world_coordinates():
    layer = Image(
        np.zeros((5, 6, 7)),
        scale=(2, 1, 3),
        translate=(4, 5, 6),
        rotate=(10, 20, 30),
        affine=AFFINE,
    )
    down, back, left = layer.data_to_world((4, 3, 2))
    for display_axes, up in ((True, -down), (False, down)):
        grid = grid_of_layer((5, 6, 7), layer.as_layer_data_tuple()[1], display_axes=display_axes)
        assert grid.to_patient((4, 3, 2)) == pytest.approx((-left, -back, up))


AFFINE = np.array([[0, 1, 0, 3], [1, 0, 0, -2], [0, 0.5, 1, 1], [0, 0, 0, 1.0]])
