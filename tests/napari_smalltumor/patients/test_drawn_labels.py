"""New labels of napari that are drawn on a case are written on its grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import case_along, write_case_along
from scipy.spatial.transform import Rotation
from smalltumor.data.case import read_case

from napari_smalltumor.export.writer import write_labels
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import provenance_of, role_of
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


def test_labels_on_no_image_have_no_case(viewer: ViewerModel) -> None:
    set_up(viewer)
    for data, attributes, _ in image_layers(case_along()):
        viewer.add_image(data, **attributes)
    elsewhere = viewer.add_labels(np.zeros((4, 5, 6), np.uint8))
    assert provenance_of(elsewhere.metadata) is None
