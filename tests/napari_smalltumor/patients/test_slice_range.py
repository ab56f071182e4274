"""The sliders count the slices of the active patient, whatever the grids of others are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import SHAPE, show_regions, synthetic_case
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region
from synthetic import grid_along

from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.lesions.canvas.rings import LesionRings
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture
def patients(viewer):
    """Two patients: PSR with voxels of 1, 1.5 and 2 mm, and LAI with other ones elsewhere."""
    set_up(viewer)
    show_regions(viewer, synthetic_case())
    grid = grid_along("LAI", SHAPE, (0.5, 0.5, 6))
    moved = np.eye(4)
    moved[:3, 3] = (15, -40, 12.5)
    other = Grid(grid.shape, moved @ grid.affine)
    show_regions(viewer, replace(synthetic_case(), name="Other", grid=other))
    return active_patient(viewer)


def check_sliders(viewer, patient) -> None:
    """Each slice of the sliders is one of the patient's layers, from the first to the last."""
    layer = layers_of_patient(viewer.layers, patient)[0]
    assert tuple(viewer.dims.nsteps) == layer.data.shape
    for axis in range(3):
        corners = [viewer.layers.get_extent([layer]).world[n][axis] for n in (0, 1)]
        assert viewer.dims.range[axis][:2] == pytest.approx(corners)


def test_the_sliders_have_the_slices_of_the_patient_who_is_active(viewer, patients):
    for patient in (*patients.patients, *patients.patients):
        patients.activate(patient)
        check_sliders(viewer, patient)


def test_rings_of_another_patients_voxels_do_not_change_the_steps(viewer, patients):
    first, second = patients.patients
    rings = LesionRings(viewer)
    for patient, other in ((first, second), (second, first)):
        patients.activate(other)
        (source,) = (s for s in lesion_sources(viewer.layers) if s.patient == other)
        rings.show(source, source.snapshot(Region.ET).lesions(100))
        rings.erase()
        patients.activate(patient)
        check_sliders(viewer, patient)
        (source,) = (s for s in lesion_sources(viewer.layers) if s.patient == patient)
        rings.show(source, source.snapshot(Region.ET).lesions(100))
        check_sliders(viewer, patient)


def test_they_stay_when_layers_of_either_patient_change(viewer, patients):
    first, second = patients.patients
    patients.activate(first)
    for patient in (first, second):
        layer = layers_of_patient(viewer.layers, patient)[0]
        layer.data = layer.data.copy()
        check_sliders(viewer, first)
    viewer.layers.remove(layers_of_patient(viewer.layers, second)[0])
    check_sliders(viewer, first)


def test_the_slice_of_a_patient_is_found_again(viewer, patients):
    first, second = patients.patients
    shown = {}
    for patient, index in ((first, (3, 5, 7)), (second, (20, 21, 22))):
        patients.activate(patient)
        layer = layers_of_patient(viewer.layers, patient)[0]
        viewer.dims.point = layer.data_to_world(index)
        shown[patient] = index
    for patient in (first, second, first):
        patients.activate(patient)
        layer = layers_of_patient(viewer.layers, patient)[0]
        assert layer.world_to_data(viewer.dims.point) == pytest.approx(shown[patient])


def test_when_a_patient_is_closed_the_slices_are_those_of_the_other(viewer, patients):
    first, second = patients.patients
    patients.activate(second)
    for layer in layers_of_patient(viewer.layers, second):
        viewer.layers.remove(layer)
    check_sliders(viewer, first)
