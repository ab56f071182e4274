"""What the status bar says of a point in the planes."""

from __future__ import annotations

import re

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_layers import classes, show_regions, synthetic_case
from napari.components import ViewerModel
from napari_cases import MODALITIES, ORIENTATIONS, SHAPE_LPS, oriented, random_volume
from smalltumor.data.case import Case
from smalltumor.labels.regions import TissueClass

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.planes.cursor_text import text_at
from napari_smalltumor.planes.linked_planes import linked_planes


def texts_of(viewer: ViewerModel):
    """The text at a point of the viewer's planes."""
    layers = linked_planes(viewer).layers
    return lambda point: text_at([(x, layers.placement(x)) for x in layers.drawn], point)


def position_in(text: str) -> list[float]:
    """Patient coordinates (RAS) that a text states."""
    found = re.search(r"x (−?[\d.]+)  y (−?[\d.]+)  z (−?[\d.]+) mm$", text)
    assert found is not None, text
    return [float(number.replace("−", "-")) for number in found.groups()]


def write_case(folder, axcodes: str, degrees: float):
    """A case whose grid is turned about the axis from head to foot."""
    folder.mkdir(parents=True)
    angle = np.deg2rad(degrees)
    rotation = np.eye(4)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    for number, modality in enumerate(MODALITIES):
        image = oriented(random_volume(number), axcodes)
        image.set_sform(rotation @ image.affine, code=1)
        image.set_qform(rotation @ image.affine, code=1)
        nib.save(image, folder / f"{folder.name}_{modality}.nii.gz")
    return folder


@settings(max_examples=12, deadline=None)
@given(
    axcodes=st.sampled_from(ORIENTATIONS),
    degrees=st.sampled_from([0.0, 0.0, 12.0]),
    lps=st.tuples(*(st.integers(0, n - 1) for n in SHAPE_LPS)),
)
def test_value_and_position_are_those_of_the_file(tmp_path_factory, axcodes, degrees, lps):
    folder = write_case(tmp_path_factory.mktemp("case") / "Pat", axcodes, degrees)
    viewer = ViewerModel()
    open_case(viewer, folder)
    layer = next(x for x in viewer.layers if x.name == "Pat T1CE")
    voxel = (SHAPE_LPS[2] - 1 - lps[2], lps[1], lps[0])  # (I, P, L)
    text = texts_of(viewer)(tuple(layer.data_to_world(voxel)))
    assert text.startswith(f"T1CE {random_volume(1)[lps]}   ")
    image = nib.load(folder / "Pat_t1ce.nii.gz")
    in_file = np.argwhere(np.asarray(image.dataobj) == random_volume(1)[lps])
    places = nib.affines.apply_affine(image.affine, in_file)
    assert np.abs(places - position_in(text)).max(axis=1).min() < 0.06


@pytest.mark.parametrize(
    ("tissue", "said"), [(TissueClass.ET, "ET, TC, WT"), (TissueClass.ED, "WT")]
)
def test_masks_are_named_from_the_innermost(viewer, tissue, said):
    case = synthetic_case()
    show_regions(viewer, case)
    voxel = np.argwhere(classes() == tissue)[0]
    assert texts_of(viewer)(world_of(case, voxel)) == said


def test_nothing_is_said_beside_the_images(viewer):
    show_regions(viewer, synthetic_case())
    assert texts_of(viewer)((1e4, 0.0, 0.0)) == ""


def world_of(case: Case, voxel: np.ndarray) -> tuple[float, ...]:
    """World coordinates (I, P, L) of a voxel of a grid along the patient's axes."""
    return tuple(-case.grid.to_patient(voxel)[::-1])


@pytest.mark.parametrize(
    ("value", "said"),
    [(12345.6, "12346"), (-2000.4, "-2000"), (812.34, "812.3"), (0.01234, "0.01234")],
)
def test_values_have_four_digits_and_no_exponent(viewer, value, said):
    viewer.add_image(np.full((2, 2, 2), value, np.float32), name="Map")
    assert texts_of(viewer)((1.0, 1.0, 1.0)) == f"Map {said}"
