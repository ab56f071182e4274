"""A volume lies in the viewer as in the patient, whatever its file's axes."""

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
def test_every_orientation_is_shown_alike(axcodes):
    head = random_volume(0)
    image = oriented(head, axcodes)
    volume = np.asarray(image.dataobj)
    grid = Grid(image.shape, image.affine)
    shown = to_display(volume, grid)
    assert np.array_equal(shown, displayed(head))
    assert np.shares_memory(shown, volume)
    assert np.array_equal(from_display(shown, grid), volume)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_world_coordinates_are_the_patients_in_mm(axcodes):
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
    turn = nib.eulerangles.euler2mat(z=0.2, y=0.1)
    affine = nib.affines.from_matvec(turn @ np.diag([-1, -1.5, 2]), (30, 20, -10))
    grid = Grid((9, 11, 13), affine)
    layer = Image(np.zeros((13, 11, 9)), **display_transform(grid))
    right, front, top = grid.to_patient((4, 5, 6))
    assert layer.data_to_world((6, 5, 4)) == pytest.approx((-top, -front, -right))


def test_a_layer_of_unknown_origin_is_taken_to_lie_as_ours():
    image = oriented(random_volume(0), "RAS")
    grid = Grid(image.shape, image.affine)
    place = display_transform(grid)
    data = to_display(np.asarray(image.dataobj), grid)
    guessed = grid_of_layer(
        data.shape, Image(data, **place).as_layer_data_tuple()[1], display_axes=True
    )
    assert np.array_equal(to_display(data, guessed), data)
    for key, value in display_transform(guessed).items():
        assert value == pytest.approx(place[key]) if key in ("scale", "translate") else place[key]


def test_a_turned_and_sheared_layer_of_unknown_origin_keeps_its_place():
    layer = Image(
        np.zeros((5, 6, 7)), scale=(2, 1, 3), translate=(4, 5, 6), rotate=(10, 20, 30), affine=TURN
    )
    down, back, left = layer.data_to_world((4, 3, 2))
    for display_axes, up in ((True, -down), (False, down)):
        grid = grid_of_layer((5, 6, 7), layer.as_layer_data_tuple()[1], display_axes=display_axes)
        assert grid.to_patient((4, 3, 2)) == pytest.approx((-left, -back, up))


TURN = np.array([[0, 1, 0, 3], [1, 0, 0, -2], [0, 0.5, 1, 1], [0, 0, 0, 1.0]])
