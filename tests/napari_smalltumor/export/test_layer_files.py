"""Exports have the grid and header of the source, and are read back unchanged."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import ORIENTATIONS, case_along, random_volume, write_case_along
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.masks.label_scheme import find_scheme
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import OutputError
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.export.case_export import (
    case_to_export,
    export_case,
    suggested_name,
    targets,
)
from napari_smalltumor.export.layer_files import write_layer
from napari_smalltumor.export.writer import write_image, write_labels, write_layers
from napari_smalltumor.layers.coordinates import from_display
from napari_smalltumor.layers.metadata import case_of, region_layers, source_role_of
from napari_smalltumor.layers.patient import assign, patient_of_case
from napari_smalltumor.loading.labels.layers import labels_in_scheme
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient


def random_classes(case) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)


def show(viewer: ViewerModel, case) -> dict:
    show_segmentation(viewer, case, Segmentation(case.name, random_classes(case), case.grid))
    return region_layers(viewer.layers, case)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_an_export_has_the_axes_transform_and_codes_of_the_source(axcodes, tmp_path, viewer):
    folder = write_case_along(tmp_path / "Pat", axcodes, labels=False)
    case = read_case(folder)
    show(viewer, case)
    (written,) = export_case(viewer, case, tmp_path / "out.nii.gz", scheme="brats2018")
    image, source = nib.load(written), nib.load(folder / "Pat_t1ce.nii.gz")
    expected = np.array([0, 1, 2, 4])[random_classes(case)]
    assert np.array_equal(image.dataobj, expected)
    assert np.array_equal(image.affine, source.affine)
    for field in ("sform_code", "qform_code", "srow_x", "quatern_b", "pixdim", "xyzt_units"):
        assert np.array_equal(image.header[field], source.header[field]), field


def test_an_edit_is_exported_at_the_painted_voxel(tmp_path, viewer):
    folder = write_case_along(tmp_path / "Pat", "PIR", labels=False)
    case = read_case(folder)
    empty = np.zeros(case.grid.shape, np.uint8)
    layers = show_segmentation(viewer, case, Segmentation("Pat", empty, case.grid))
    layers[Region.ET].data_setitem((np.array([7]), np.array([2]), np.array([5])), 1)
    (written,) = export_case(viewer, case, tmp_path / "out", scheme="msd")
    image = nib.load(written)
    (voxel,) = np.argwhere(image.get_fdata())
    world = layers[Region.ET].data_to_world((7, 2, 5))
    assert nib.affines.apply_affine(image.affine, voxel) == pytest.approx(
        (-world[2], -world[1], -world[0])
    )
    assert image.get_fdata().max() == 3


def test_exported_regions_are_read_back_unchanged(tmp_path, viewer):
    case = case_along("SAL")
    layers = show(viewer, case)
    written = export_case(
        viewer, case, tmp_path / "Pat.nii.gz", scheme="brats2023", per_region=True
    )
    assert [p.name for p in written] == ["Pat_et.nii.gz", "Pat_tc.nii.gz", "Pat_wt.nii.gz"]
    for path in written:
        ((data, attributes, _),) = get_reader(str(path))(str(path))
        layer = layers[source_role_of(attributes["metadata"]).region]
        assert np.array_equal(data, layer.data)
        assert attributes["translate"] == pytest.approx(layer.translate)
        assert attributes["scale"] == pytest.approx(layer.scale)


def test_existing_files_are_replaced_only_with_overwrite_and_sources_never(tmp_path, viewer):
    folder = write_case_along(tmp_path / "Pat")
    case = read_case(folder)
    show(viewer, case)
    existing = tmp_path / "out.nii.gz"
    existing.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        export_case(viewer, case, existing, scheme="brats2018")
    assert existing.read_bytes() == b"precious"
    export_case(viewer, case, existing, scheme="brats2018", overwrite=True)
    assert existing.read_bytes() != b"precious"
    source = folder / "Pat_seg.nii.gz"
    before = source.read_bytes()
    with pytest.raises(OutputError, match="one of the case"):
        export_case(viewer, case, source, scheme="brats2018", overwrite=True)
    assert source.read_bytes() == before


def test_the_suggested_name_is_not_that_of_an_image_or_an_expert_mask():
    case = case_along(name="BraTS-GLI-00001-000")
    assert suggested_name(case) == "BraTS-GLI-00001-000_smalltumor.nii.gz"
    assert parse_file_name(Path(suggested_name(case))) is None
    assert targets(Path("a/b"), per_region=False) == [Path("a/b.nii.gz")]


def test_the_case_of_the_active_patient_is_exported(viewer):
    first, second = case_along(name="First"), case_along(name="Second")
    layers = show(viewer, first)
    show(viewer, second)
    assert case_to_export(viewer) is second
    viewer.layers.selection.active = layers[Region.TC]  # selecting it does not show its patient
    assert case_to_export(viewer) is second
    active_patient(viewer).activate(patient_of_case(first))
    assert case_to_export(viewer) is first
    viewer.layers.clear()
    assert case_to_export(viewer) is None


def test_saving_regions_writes_one_label_file_and_names_a_missing_one(
    tmp_path, viewer, monkeypatch
):
    warnings: list[str] = []
    monkeypatch.setattr(notify, "warn", warnings.append)
    case = case_along("RIA")
    show(viewer, case)
    data = [layer.as_layer_data_tuple() for layer in viewer.layers]
    (written,) = write_layers(str(tmp_path / "all.nii.gz"), data)
    image = nib.load(written)
    assert np.array_equal(image.dataobj, np.array([0, 1, 2, 4])[random_classes(case)])
    two = [d for d in data if not d[1]["name"].endswith("ET")]
    write_layers(str(tmp_path / "part.nii.gz"), two)
    assert warnings == ["part.nii.gz has no ET of Pat: only TC and WT were saved"]
    with pytest.raises(OutputError, match="one case"):
        write_layers(str(tmp_path / "two.nii.gz"), [data[0], data[0]])


def test_labels_of_another_plugin_are_saved_with_their_transform(tmp_path, viewer):
    labels = (random_volume(3) % 300).astype(np.int64)
    layer = viewer.add_labels(labels, scale=(2, 1.5, 1), translate=(10, 20, 30), name="mine")
    (written,) = write_labels(str(tmp_path / "mine.nii.gz"), *layer.as_layer_data_tuple()[:2])
    image = nib.load(written)
    assert np.array_equal(image.dataobj, labels)
    top, back, left = layer.data_to_world((3, 4, 5))
    assert nib.affines.apply_affine(image.affine, (3, 4, 5)) == pytest.approx((-left, -back, top))
    ((data, attributes, kind),) = get_reader(written)(written)
    assert (kind, attributes["name"]) == ("image", "mine")
    # The first axis was assumed to point superior; the reader reverses it.
    assert np.array_equal(data, labels[::-1])
    assert attributes["translate"][1:] == pytest.approx(layer.translate[1:])


def test_labels_drawn_on_a_case_are_saved_at_their_patient_coordinates(tmp_path, viewer):
    show(viewer, case_along("RSA"))
    viewer.layers.selection.active = viewer.layers[-1]
    viewer._new_labels()
    layer = viewer.layers[-1]
    layer.data_setitem((np.array([3]), np.array([4]), np.array([5])), 1)
    (written,) = write_labels(str(tmp_path / "mine.nii.gz"), *layer.as_layer_data_tuple()[:2])
    image = nib.load(written)
    ((*voxel,),) = np.argwhere(np.asarray(image.dataobj))
    down, back, left = layer.data_to_world((3, 4, 5))
    assert nib.affines.apply_affine(image.affine, voxel) == pytest.approx((-left, -back, -down))


def test_an_image_is_saved_on_its_own_grid(tmp_path, viewer):
    folder = write_case_along(tmp_path / "Pat", "ASR")
    layers = get_reader(str(folder))(str(folder))
    data, attributes, _ = next(d for d in layers if d[1]["name"] == "Pat T2")
    (written,) = write_image(str(tmp_path / "copy.nii.gz"), data, attributes)
    image, source = nib.load(written), nib.load(folder / "Pat_t2.nii.gz")
    assert np.array_equal(image.dataobj, source.dataobj)
    assert np.array_equal(image.affine, source.affine)


def test_expert_labels_are_saved_in_the_chosen_scheme(tmp_path):
    folder = write_case_along(tmp_path / "Pat", "RAS")
    path = str(folder / "Pat_seg.nii.gz")
    ((data, attributes, _),) = get_reader(path)(path)
    (written,) = write_labels(str(tmp_path / "again.nii.gz"), data, attributes)
    assert np.array_equal(nib.load(written).dataobj, nib.load(path).dataobj)


def test_an_export_keeps_the_affine_of_an_oblique_source(tmp_path, viewer):
    rotation = nib.eulerangles.euler2mat(z=0.15, y=0.1, x=-0.1)
    affine = nib.affines.from_matvec(rotation @ np.diag([-0.9, -0.9, 1.5]), (80, 90, -60))
    folder = tmp_path / "Pat"
    folder.mkdir()
    for number, modality in enumerate(("flair", "t1ce", "t1", "t2")):
        nib.save(nib.Nifti1Image(random_volume(number), affine), folder / f"Pat_{modality}.nii.gz")
    case = read_case(folder)
    show(viewer, case)
    (written,) = export_case(viewer, case, tmp_path / "out.nii", scheme="brats2018")
    image = nib.load(written)
    assert image.affine == pytest.approx(nib.load(folder / "Pat_t1ce.nii.gz").affine)
    assert np.array_equal(image.dataobj, np.array([0, 1, 2, 4])[random_classes(case)])


def test_the_topmost_regions_of_a_patient_are_exported(tmp_path, viewer):
    images = open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    case = case_of(images[0])
    old = Case("Pat", {}, case.grid, folder=tmp_path / "old")
    show(viewer, old)
    for layer in viewer.layers:
        assign(layer, patient_of_case(case))
    show(viewer, case)
    assert case_to_export(viewer) is case


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("painted", [False, True])
def test_a_saved_label_file_tells_the_classes_of_the_file_that_was_opened(
    tmp_path, scheme, painted
):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    stored = np.random.default_rng(1).integers(0, 3, case.grid.shape).astype(np.uint8)
    volume = Volume(stored, case.grid, None, tmp_path / "hd-glio_seg.nii.gz")
    layer = Layer.create(*labels_in_scheme(case, volume, READ_SCHEMES["hd-glio"]))
    if painted:
        layer.data[0, 0, 0] = SCHEMES["brats2018"].ncr
    path = write_layer(
        tmp_path / "saved", layer.as_layer_data_tuple(), scheme=scheme, overwrite=False
    )
    found = find_scheme(read_label_volume(path))
    expected = SCHEMES[scheme] if painted else READ_SCHEMES["hd-glio"]
    assert found.scheme.known_classes == expected.known_classes
    classes = SCHEMES["brats2018"].decode(from_display(layer.data, case.grid))
    assert np.array_equal(found.scheme.decode(nib.load(path).get_fdata()), classes)
    assert read_label_volume(path).label_scheme == (scheme if painted else f"{scheme}-ed-et")
