"""Exported masks are opened again as ET, TC and WT that can be edited and exported."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import CaseError, OutputError
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor import notify, settings
from napari_smalltumor.export.case_export import case_to_export, export_case, is_exported_to
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import LayerKind, case_of, region_layers, role_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "warn", shown.append)
    return shown


@pytest.fixture
def folder(tmp_path):
    return write_case_along(tmp_path / "Pat", "RSA")


def classes_of(folder) -> np.ndarray:
    case = read_case(folder)
    classes = np.random.default_rng(7).integers(0, 4, case.grid.shape).astype(np.uint8)
    classes[case.volumes["t1ce"] == 0] = 0
    return classes


@pytest.fixture(params=[False, True], ids=["label file", "file per region"])
def written(request, folder):
    """The files that an export of random masks writes beside the images."""
    viewer = ViewerModel()
    case = read_case(folder)
    show_segmentation(viewer, case, Segmentation(case.name, classes_of(folder), case.grid))
    path = folder / "Pat_smalltumor.nii.gz"
    return export_case(viewer, case, path, scheme="brats2018", per_region=request.param)


def drop(viewer, path) -> list[Layer]:
    """Open a file as napari does that drops it on a viewer."""
    set_up(viewer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari.viewer.current_viewer", lambda: viewer)
        layers = get_reader(str(path))(str(path))
    return [viewer.add_layer(Layer.create(*data)) for data in layers]


def assert_editable(viewer, folder) -> None:
    case = case_to_export(viewer)
    assert case.name == "Pat"
    assert np.array_equal(segmentation_of(viewer.layers, case).classes, classes_of(folder))
    layers = region_layers(viewer.layers, case)
    voxel = tuple(np.array([n]) for n in np.argwhere(layers[Region.WT].data == 0)[0])
    layers[Region.ET].data_setitem(voxel, 1)
    assert layers[Region.WT].data[voxel] == 1  # they are nested


def test_open_case_opens_exported_masks_for_editing_and_hides_the_experts(
    viewer, folder, written, warnings
):
    layers = open_case(viewer, folder)
    assert [layer.name for layer in layers][-4:] == ["Pat labels", "Pat WT", "Pat TC", "Pat ET"]
    assert not viewer.layers["Pat labels"].visible and viewer.layers["Pat ET"].visible
    assert role_of(viewer.layers["Pat labels"]).kind is LayerKind.TISSUE_CLASSES
    assert_editable(viewer, folder)
    assert case_of(viewer.layers["Pat ET"]) is case_of(viewer.layers["Pat T1CE"])
    assert warnings == []


def test_a_dropped_export_joins_the_open_case(viewer, folder, written, warnings):
    for path in written:
        path.rename(path.with_suffix(".away"))
    open_case(viewer, folder)
    for path in written:
        path.with_suffix(".away").rename(path)
        drop(viewer, path)
    assert not viewer.layers["Pat labels"].visible
    assert_editable(viewer, folder)
    with pytest.raises(CaseError, match="was not opened, because Pat has ET"):
        drop(viewer, written[0])


def test_a_dropped_label_file_brings_the_images_beside_it(viewer, folder, written, warnings):
    layers = drop(viewer, written[0])
    names = {layer.name for layer in layers}
    assert {"Pat T1CE", "Pat T1", "Pat T2", "Pat FLAIR", "Pat ET"} <= names
    if len(written) == 1:
        assert_editable(viewer, folder)


def test_an_export_without_images_is_a_case_of_its_own(viewer, folder, written, tmp_path):
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    for path in written:
        drop(viewer, path.rename(alone / path.name))
    assert len(viewer.layers) == 3
    assert_editable(viewer, folder)


def test_an_export_on_another_grid_is_not_opened(viewer, folder, warnings):
    image = nib.Nifti1Image(np.zeros((4, 5, 6), np.uint8), np.eye(4))
    nib.save(image, folder / "Pat_smalltumor.nii.gz")
    open_case(viewer, folder)
    assert "Pat ET" not in viewer.layers and viewer.layers["Pat labels"].visible
    assert "Pat_smalltumor.nii.gz is on another grid than the images" in warnings[0]


@pytest.mark.parametrize("scheme", ["brats2018", "brats2023", "msd"])
def test_an_export_is_read_in_its_own_scheme_whatever_is_set(viewer, folder, warnings, scheme):
    write_export(folder, scheme)
    settings.put("scheme", "msd" if scheme != "msd" else "brats2023")
    open_case(viewer, folder)
    assert_editable(viewer, folder)
    assert warnings == []


@pytest.mark.parametrize("scheme", ["brats2023", "msd"])
def test_an_export_whose_header_was_rewritten_is_read_in_the_scheme_that_is_set(
    viewer, folder, warnings, scheme
):
    path = write_export(folder, scheme)
    image = nib.load(path)
    image.header.set_intent("none")
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)
    settings.put("scheme", scheme)
    open_case(viewer, folder)
    assert_editable(viewer, folder)
    assert f"was read with the label scheme {scheme}" in warnings[0]


def write_export(folder, scheme: str):
    case, exporting = read_case(folder), ViewerModel()
    show_segmentation(exporting, case, Segmentation(case.name, classes_of(folder), case.grid))
    (path,) = export_case(exporting, case, folder / "Pat_smalltumor.nii.gz", scheme=scheme)
    return path


def test_a_case_that_is_opened_again_keeps_its_edited_regions(folder, written, warnings):
    viewer = ViewerModel()
    case = case_of(open_case(viewer, folder)[0])
    edited = region_layers(viewer.layers, case)[Region.ET]
    edited.data[...] = 1
    open_case(viewer, folder)
    drop(viewer, folder)
    assert [x for x in viewer.layers if x.name.startswith("Pat ET")] == [edited]
    assert region_layers(viewer.layers, case)[Region.ET] is edited
    assert sum("are open already" in warning for warning in warnings) == 2


def test_an_image_beside_a_mask_that_was_opened_alone_is_never_replaced(folder, written):
    for modality in ("t1", "t2", "flair"):
        (folder / f"Pat_{modality}.nii.gz").unlink()
    viewer = ViewerModel()
    for path in written:
        drop(viewer, path)
    case = case_to_export(viewer)
    image = folder / "Pat_t1ce.nii.gz"
    before = image.read_bytes()
    with pytest.raises(OutputError):
        export_case(viewer, case, image, scheme="brats2018", overwrite=True)
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    ("regions", "scheme"),
    [
        ((Region.ET,), "brats2018-et"),
        ((Region.ET, Region.TC), "brats2018-nc-et"),
        (tuple(Region), "brats2018"),
    ],
)
def test_regions_without_a_layer_are_none_when_the_file_is_opened_again(
    viewer, folder, regions, scheme, warnings
):
    path, other = folder / "Pat_smalltumor.nii.gz", ViewerModel()
    case = read_case(folder)
    show_segmentation(other, case, Segmentation(case.name, classes_of(folder), case.grid))
    for region, layer in region_layers(other.layers, case).items():
        if region not in regions:
            other.layers.remove(layer)
    shown = {r: np.array(x.data) for r, x in region_layers(other.layers, case).items()}
    export_case(other, case, path, scheme="brats2018")
    assert read_nifti(path).label_scheme == scheme
    assert is_exported_to(other, case, path, scheme="brats2018")
    open_case(viewer, folder)
    found = region_layers(viewer.layers, case_to_export(viewer))
    assert found.keys() == set(regions)
    for region, layer in found.items():
        assert np.array_equal(np.asarray(layer.data) != 0, shown[region] != 0)


@pytest.mark.parametrize("empty", [None, Region.ET, Region.TC])
@pytest.mark.parametrize("missing", [Region.ET, Region.TC])
def test_a_whole_tumour_is_kept_in_the_file_also_without_what_is_in_it(
    viewer, folder, missing, empty, warnings
):
    path, other = folder / "Pat_smalltumor.nii.gz", ViewerModel()
    case = read_case(folder)
    show_segmentation(other, case, Segmentation(case.name, classes_of(folder), case.grid))
    layers = region_layers(other.layers, case)
    if empty is not None:
        layers[empty].data = np.zeros_like(layers[empty].data)
    other.layers.remove(layers.pop(missing))
    shown = {r: np.array(x.data) for r, x in layers.items()}
    export_case(other, case, path, scheme="brats2018")
    assert read_nifti(path).label_scheme == "brats2018"
    open_case(viewer, folder)
    found = region_layers(viewer.layers, case_to_export(viewer))
    for region, data in shown.items():
        assert np.array_equal(found[region].data != 0, data != 0)


def test_no_voxel_of_a_file_without_a_class_is_lost_when_it_is_opened_as_regions(
    viewer, folder, warnings
):
    """Such as an expert's mask of edema and enhancing tumour that was saved under this name."""
    case = read_case(folder)
    classes = np.where(classes_of(folder) == TissueClass.NCR, 0, classes_of(folder))
    known = (TissueClass.BACKGROUND, TissueClass.ED, TissueClass.ET)
    mask = Segmentation(case.name, classes, case.grid, case.header, known=known, stored=known)
    write_segmentation(mask, folder / "Pat_smalltumor.nii.gz")
    open_case(viewer, folder)
    found = region_layers(viewer.layers, case_to_export(viewer))
    assert np.count_nonzero(found[Region.WT].data) == np.count_nonzero(classes)
    assert any("no class for necrosis" in text for text in warnings)
