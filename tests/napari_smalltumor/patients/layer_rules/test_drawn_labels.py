"""New labels of napari that are drawn on a case are written on its grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from magicgui import magicgui
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.layers._source import layer_source
from napari_cases import case_along, write_case_along
from scipy.spatial.transform import Rotation
from smalltumor.data.made_by import MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.read_case import read_case

from napari_smalltumor.export.writer import write_labels
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import role_of, source_role_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.viewer_setup import set_up


def rotated_case(folder: Path, axcodes: str, degrees: float) -> Path:
    """A case on the disk whose axes are rotated about the patient's long axis."""
    case = write_case_along(folder / "Pat", axcodes, labels=False)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    for path in case.iterdir():
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), turn @ image.affine), path)
    return case


@pytest.mark.parametrize(("axcodes", "degrees"), [("LPS", 0), ("LPS", 15), ("PIR", 8)])
def test_a_stroke_is_written_where_it_was_drawn(
    viewer, tmp_path: Path, axcodes: str, degrees: float
) -> None:
    folder = rotated_case(tmp_path, axcodes, degrees)
    case = read_case(folder)
    set_up(viewer)
    open_case(viewer, folder)
    viewer.layers.selection.active = next(x for x in viewer.layers if x.name.endswith("T1CE"))
    viewer._new_labels()
    drawn = viewer.layers.selection.active
    drawn.data_setitem((np.array([2]), np.array([3]), np.array([4])), 7)
    data, attributes, _ = drawn.as_layer_data_tuple()
    (written,) = write_labels(str(tmp_path / "hand.nii.gz"), data, attributes)
    image = nib.load(written)
    np.testing.assert_allclose(image.affine, case.grid.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(image.dataobj), from_display(drawn.data, case.grid))
    assert role_of(drawn) is None
    volume = read_label_volume(Path(written))
    assert recorded_made_by(volume) == MadeBy("MANUAL")


def show_images(viewer: ViewerModel) -> Image:
    set_up(viewer)
    for data, attributes, _ in image_layers(case_along()):
        viewer.add_image(data, **attributes)
    return viewer.layers["Pat T1CE"]


def on(image: Image) -> dict[str, object]:
    names = ("scale", "translate", "axis_labels", "units")
    return {name: getattr(image, name) for name in names}


@pytest.mark.parametrize("moved", [{}, {"translate": (1.0, 0, 0)}, {"scale": (1.0, 1.0, 1.01)}])
def test_labels_of_the_same_shape_have_a_case_only_where_its_images_are(viewer, moved) -> None:
    image = show_images(viewer)
    place = on(image)
    for name, value in moved.items():
        place[name] = np.add(place[name], value) if name == "translate" else value
    drawn = viewer.add_labels(np.zeros(image.data.shape, np.uint8), **place)
    assert (source_role_of(drawn.metadata) is not None) == (not moved)


def test_labels_of_another_shape_have_no_case(viewer) -> None:
    show_images(viewer)
    elsewhere = viewer.add_labels(np.zeros((4, 5, 6), np.uint8))
    assert source_role_of(elsewhere.metadata) is None


def test_a_result_that_arrives_late_gets_no_case_of_the_patient_who_is_active_then(viewer) -> None:
    """It may be of another patient on the same grid, as all BraTS cases are."""
    image = show_images(viewer)
    result = viewer.add_labels(np.ones(image.data.shape, np.uint8), **on(image))
    assert source_role_of(result.metadata) is None
    with layer_source(widget=magicgui(lambda: None)):
        empty = Labels(np.zeros(image.data.shape, np.uint8), **on(image))
    viewer.add_layer(empty)
    assert source_role_of(empty.metadata) is None
