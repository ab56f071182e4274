"""A layer that cannot be drawn leaves no two patients shown at once."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along

from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def patients(viewer, tmp_path):
    """Two patients of which the second is active."""
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    return active_patient(viewer)


@pytest.mark.parametrize("name", ["First T1CE", "Second T1CE"])
def test_the_other_patient_is_active_all_the_same(viewer, patients, name):
    def fail(event) -> None:
        raise ValueError("cannot be triangulated")

    viewer.layers[name].events.visible.connect(fail)
    first, told = patients.patients[0], []
    patients.changed.connect(lambda: told.append(patients.title))
    with pytest.raises(ValueError, match="triangulated"):
        patients.activate(first)
    assert patients.current == first and told == ["First"] and viewer.title == "First – napari"
    for layer in viewer.layers:
        assert not layer.visible or patient_of(layer) == first
        assert bool(layer.locked) == (patient_of(layer) != first)
