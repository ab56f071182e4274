"""File > Save never replaces a source image, whatever path leads to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import OutputError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.export import writer
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.export.writer import write_image, write_labels, write_layers
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

SOURCE = "Pat_t1ce.nii.gz"

WITHOUT_QT = """
import sys
import napari.utils.interactions
for module in [name for name in sys.modules if name.startswith("qtpy")]:
    del sys.modules[module]
sys.modules.update(dict.fromkeys(("PyQt5", "PyQt6", "PySide2", "PySide6")))
import napari_smalltumor.export.writer
"""


@pytest.fixture(params=[False, True], ids=["not confirmed", "confirmed"])
def confirmed(request, monkeypatch) -> bool:
    """Whether the user has confirmed that the file may be replaced."""
    monkeypatch.setattr(writer, "_may_overwrite", lambda path: request.param)
    return request.param


@pytest.fixture
def opened(viewer, tmp_path, monkeypatch):
    """A segmented case in napari's current viewer."""
    folder = write_case_along(tmp_path / "Pat")
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    monkeypatch.chdir(tmp_path)
    open_case(viewer, folder)
    case = case_of(viewer.layers[0])
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return folder


def absolute(folder: Path) -> str:
    return str(folder / SOURCE)


def relative(folder: Path) -> str:
    return str(Path("Pat") / SOURCE)


def through_the_parent_folder(folder: Path) -> str:
    return str(folder / ".." / "Pat" / SOURCE)


def without_the_suffix(folder: Path) -> str:
    return str(folder / SOURCE).removesuffix(".nii.gz")


def symlink(folder: Path) -> str:
    (folder.parent / "link.nii.gz").symlink_to(folder / SOURCE)
    return str(folder.parent / "link.nii.gz")


def symlink_in_capitals(folder: Path) -> str:
    (folder.parent / "LINK.NII.GZ").symlink_to(folder / SOURCE)
    return str(folder.parent / "LINK.NII.GZ")


def hard_link(folder: Path) -> str:
    (folder.parent / "second.nii.gz").hardlink_to(folder / SOURCE)
    return str(folder.parent / "second.nii.gz")


def symlink_to_the_folder(folder: Path) -> str:
    (folder.parent / "linked").symlink_to(folder)
    return str(folder.parent / "linked" / SOURCE)


PATHS = (
    absolute,
    relative,
    through_the_parent_folder,
    without_the_suffix,
    symlink,
    symlink_in_capitals,
    hard_link,
    symlink_to_the_folder,
)


def save(path: str, *layers: Layer) -> None:
    """Call the writers as napari does."""
    data = [layer.as_layer_data_tuple() for layer in layers]
    if len(data) > 1:
        write_layers(path, data)
    elif data[0][2] == "labels":
        write_labels(path, *data[0][:2])
    else:
        write_image(path, *data[0][:2])


def test_a_source_image_is_not_replaced_by_any_of_the_cases_layers(opened, viewer, confirmed):
    regions = [viewer.layers[f"Pat {region.name}"] for region in Region]
    assert_refused(
        opened, [viewer.layers["Pat T1CE"]], [viewer.layers["Pat labels"]], regions[:1], regions
    )


def test_a_source_image_is_not_replaced_by_a_layer_without_a_case(opened, viewer, confirmed):
    drawn = viewer.add_labels(np.zeros((9, 10, 11), np.uint8))
    image = viewer.add_image(np.zeros((9, 10, 11)))
    assert_refused(opened, [drawn], [image])


def assert_refused(folder: Path, *each: list[Layer]) -> None:
    """Check that layers are not saved over a source image, whatever path leads there."""
    before = (folder / SOURCE).read_bytes()
    for path_to_source in PATHS:
        path = path_to_source(folder)
        for layers in each:
            with pytest.raises(OutputError, match="one of the case"):
                save(path, *layers)
            assert (folder / SOURCE).read_bytes() == before, path_to_source.__name__


def test_a_source_of_another_case_is_not_replaced(opened, viewer, tmp_path, confirmed):
    other = write_case_along(tmp_path / "Other", "RAS")
    layers = open_case(viewer, other)
    path = opened / SOURCE
    before = path.read_bytes()
    with pytest.raises(OutputError, match="the folder of Pat, who is open"):
        save(str(path), layers[0])
    case = case_of(layers[0])
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    (tmp_path / "out_et.nii.gz").symlink_to(path)
    for target, per_region in ((path, False), (tmp_path / "out.nii.gz", True)):
        with pytest.raises(OutputError, match=r"one of the case|is an image by|holds an image"):
            export_case(
                viewer, case, target, scheme="brats2018", per_region=per_region, overwrite=True
            )
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["Bob_t1ce", "Bob_seg", "Bob_smalltumor", "Bob_0002"])
@pytest.mark.parametrize("together", [False, True])
def test_no_file_of_a_patient_who_is_not_open_is_replaced_or_written(
    opened, viewer, tmp_path, name, together
):
    folder = write_case_along(tmp_path / "Bob", "RAS", labels=False)
    (folder / "Bob_t2.nii.gz").rename(folder / "Bob_0002.nii.gz")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    case = case_of(viewer.layers["Pat T1CE"])
    classes = np.ones(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    regions = [viewer.layers[f"Pat {region}"] for region in ("ET", "TC", "WT")]
    with pytest.raises(OutputError, match=r"is an image by|would be a mask of Bob|holds an image"):
        if together:
            write_layers(str(folder / f"{name}.nii.gz"), [x.as_layer_data_tuple() for x in regions])
        else:
            save(str(folder / f"{name}.nii.gz"), regions[0])
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_an_image_replaces_its_own_copy_and_no_image_of_a_patient_who_is_not_open(
    opened, viewer, tmp_path, confirmed
):
    folder = write_case_along(tmp_path / "Bob", "RAS", labels=False)
    before, layer = (folder / "Bob_t1ce.nii.gz").read_bytes(), viewer.layers["Pat T1CE"]
    with pytest.raises(OutputError, match=r"exists|is an image by its name, of Bob"):
        save(str(folder / "Bob_t1ce.nii.gz"), layer)
    assert (folder / "Bob_t1ce.nii.gz").read_bytes() == before
    (tmp_path / "copies").mkdir()
    copy = tmp_path / "copies" / "Pat_copy_t1ce.nii.gz"
    save(str(copy), layer)
    if confirmed:
        save(str(copy), layer)
    assert copy.is_file()


def test_layers_of_a_patient_that_is_not_active_are_not_saved(opened, viewer, tmp_path):
    hidden = list(viewer.layers)
    shown = open_case(viewer, write_case_along(tmp_path / "Other", "RAS"))
    out = tmp_path / "out.nii.gz"
    for layer in hidden:
        with pytest.raises(OutputError, match=f"{layer.name} was not saved: it belongs to Pat"):
            save(str(out), layer)
    regions = [layer.as_layer_data_tuple() for layer in hidden if layer.name.endswith(("C", "WT"))]
    with pytest.raises(OutputError, match="belongs to Pat"):
        write_layers(str(out), regions)
    assert not out.exists()
    save(str(out), shown[0])
    assert out.exists()


def test_an_image_that_another_reader_opened_is_not_replaced(
    viewer, tmp_path, monkeypatch, confirmed
):
    from napari.layers._source import layer_source

    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    path = tmp_path / "scan.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.float32), np.eye(4)), path)
    before = path.read_bytes()
    with layer_source(path=str(path), reader_plugin="another"):
        image = viewer.add_image(np.ones((3, 4, 5)))
    mask = viewer.add_labels(np.zeros((3, 4, 5), np.uint8))
    for layer in (image, mask):
        with pytest.raises(OutputError, match="one of the case"):
            save(str(path), layer)
    assert path.read_bytes() == before


@pytest.mark.parametrize("axcodes", ["LPS", "RSA"])
def test_a_copy_of_a_region_is_saved_on_the_cases_grid(viewer, tmp_path, axcodes):
    from napari.layers._layer_actions import _duplicate_layer

    folder = write_case_along(tmp_path / "Pat", axcodes)
    open_case(viewer, folder)
    case = case_of(viewer.layers[0])
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    regions = show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    viewer.layers.selection = {regions[Region.ET]}
    _duplicate_layer(viewer.layers)
    (written,) = write_labels(
        str(tmp_path / "copy"), *viewer.layers["Pat ET copy"].as_layer_data_tuple()[:2]
    )
    image = nib.load(written)
    assert np.array_equal(image.dataobj, classes == 3)
    assert np.array_equal(image.affine, nib.load(folder / SOURCE).affine)


def test_a_cropped_copy_is_saved_with_its_own_transform(opened, viewer, tmp_path):
    data, attributes, kind = viewer.layers["Pat labels"].as_layer_data_tuple()
    start = np.array([2, 3, 4])
    attributes["translate"] = np.add(attributes["translate"], start * attributes["scale"])
    cropped = viewer.add_layer(Layer.create(data[2:, 3:, 4:], attributes, kind))
    (written,) = write_labels(str(tmp_path / "cropped"), *cropped.as_layer_data_tuple()[:2])
    image = nib.load(written)
    down, back, left = cropped.data_to_world((1, 1, 1))
    assert nib.affines.apply_affine(image.affine, (1, 1, 1)) == pytest.approx((-left, -back, -down))
    assert image.shape == cropped.data.shape


def test_regions_are_saved_together_only_if_none_of_them_is_a_copy(opened, viewer, tmp_path):
    from napari.layers._layer_actions import _duplicate_layer

    viewer.layers.selection = {viewer.layers["Pat ET"]}
    _duplicate_layer(viewer.layers)
    names = ("Pat ET copy", "Pat TC", "Pat WT")
    with pytest.raises(OutputError, match="one case"):
        save(str(tmp_path / "out.nii.gz"), *(viewer.layers[name] for name in names))


def test_layers_that_are_saved_under_the_name_of_another_open_patient_are_said_to_be(
    viewer, tmp_path, opened, monkeypatch
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    open_case(viewer, write_case_along(tmp_path / "Anna"))
    patients = active_patient(viewer)
    patients.activate(next(p for p in patients.patients if p.name == "Pat"))
    data, attributes, _ = viewer.layers["Pat ET"].as_layer_data_tuple()
    (tmp_path / "third").mkdir()
    write_labels(str(tmp_path / "third" / "Pat_et_2.nii.gz"), data, attributes)
    assert warned == []
    write_labels(str(tmp_path / "third" / "Anna_et_2.nii.gz"), data, attributes)
    assert warned == [
        "Anna_et_2.nii.gz is named after Anna, who is open, too, but the layers in it are those "
        "of Pat."
    ]


def test_no_layer_replaces_or_joins_the_files_of_another_open_patient(
    viewer, tmp_path, opened, confirmed
):
    anna = write_case_along(tmp_path / "Anna")
    open_case(viewer, anna)
    patients = active_patient(viewer)
    patients.activate(next(p for p in patients.patients if p.name == "Pat"))
    data, attributes, _ = viewer.layers["Pat ET"].as_layer_data_tuple()
    before = {path: path.read_bytes() for path in anna.iterdir()}
    for name in ("Anna_smalltumor.nii.gz", "new.nii.gz", "Anna_seg.nii.gz"):
        with pytest.raises(OutputError, match=r"Pat ET was not saved: .* folder of Anna, who is"):
            write_labels(str(anna / name), data, attributes)
    assert {path: path.read_bytes() for path in anna.iterdir()} == before
    saved = tmp_path / "Anna_smalltumor.nii.gz"
    saved.write_bytes(b"Anna's")
    with pytest.raises(OutputError, match=r"is named after Anna, .* Choose another name"):
        write_labels(str(saved), data, attributes)
    assert saved.read_bytes() == b"Anna's"


def test_a_name_that_is_too_long_is_an_error_of_the_output(opened, viewer, tmp_path):
    with pytest.raises(OutputError):
        save(str(tmp_path / f"{'x' * 300}.nii.gz"), viewer.layers["Pat ET"])


@pytest.mark.slow
def test_the_writers_are_imported_without_qt():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
