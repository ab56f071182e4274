"""A polygon that is not completed ends when its patient is hidden."""

from __future__ import annotations

from napari_cases import write_case_along

from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


def test_a_polygon_that_cannot_be_drawn_in_another_plane_is_dropped(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer()
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name))
    second = active_patient(viewer).current
    labels = viewer.layers["Second labels"]
    viewer.dims.order = (1, 0, 2)
    labels.mode = "polygon"
    polygon = labels._overlays["polygon"]
    point = labels.data_to_world((4, 4, 4))
    polygon.points = [point, (point[0] + 2, *point[1:]), (point[0] + 2, point[1], point[2] + 2)]
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    assert not polygon.points
    assert labels.mode == "pan_zoom"
    patients.activate(second)  # in the axial plane, the first two points are one
    assert {patient_of(layer) for layer in viewer.layers if layer.visible} == {second}
    assert patients.current == second and labels.mode == "pan_zoom"
