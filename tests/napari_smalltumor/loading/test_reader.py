"""Case folders, single files and 4D files are read as layers; other files are not read."""

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Labels, Layer
from napari_cases import (
    MODALITIES,
    ORIENTATIONS,
    displayed,
    oriented,
    random_volume,
    write_case_along,
)
from smalltumor.errors import CaseError
from synthetic import write_case

from napari_smalltumor import notify
from napari_smalltumor.layers.create import contrast_limits
from napari_smalltumor.layers.metadata import case_of, role_of
from napari_smalltumor.loading.jobs.load import add_layers
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    """Collects the warnings shown to the user."""
    messages: list[str] = []
    monkeypatch.setattr(notify, "warn", messages.append)
    return messages


def open_path(path) -> dict[str, Layer]:
    read = get_reader(str(path))
    return {d[1]["name"]: Layer.create(*d) for d in read(str(path))}


def test_a_folder_is_read_as_four_images_and_labels(tmp_path, warnings):
    layers = open_path(write_case_along(tmp_path / "Pat_001"))
    assert list(layers) == [f"Pat_001 {m}" for m in ("FLAIR", "T2", "T1", "T1CE", "labels")]
    assert [n for n, layer in layers.items() if layer.visible] == [
        "Pat_001 T1CE",
        "Pat_001 labels",
    ]
    assert warnings == []
    for name, layer in layers.items():
        role = role_of(layer)
        assert role.case.name == "Pat_001"
        assert role.case.header["sform_code"] == 1
        assert layer.axis_labels == ("I", "P", "L")
        assert name.split()[1].lower() in ("labels", role.modality)


@pytest.mark.parametrize("axcodes", ORIENTATIONS[::7])
def test_every_orientation_is_shown_upright(tmp_path, axcodes):
    layers = open_path(write_case_along(tmp_path / "Pat", axcodes))
    for number, modality in enumerate(MODALITIES):
        expected = displayed(random_volume(number))
        assert np.array_equal(layers[f"Pat {modality.upper()}"].data, expected)
    stored = np.array([0, 1, 2, 4], np.uint8)[random_volume(9) % 4]
    assert np.array_equal(layers["Pat labels"].data, displayed(stored))


def test_contrast_limits_make_the_background_black_and_the_brightest_voxels_white():
    volume = np.zeros((40, 40, 40), np.int16)
    volume[10:30, 10:30, 10:30] = np.arange(8000).reshape(20, 20, 20)
    low, high = contrast_limits(volume)
    assert low == 0
    assert 7900 < high < 8000


@pytest.mark.parametrize("volume", [np.zeros((5, 5, 5)), np.full((5, 5, 5), 7)])
def test_contrast_limits_of_a_constant_volume_are_a_range(volume):
    low, high = contrast_limits(volume)
    assert low < high


def test_other_files_and_folders_are_not_read(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    series = nib.Nifti1Image(np.zeros((4, 4, 4, 30), np.int16), np.eye(4))
    nib.save(series, tmp_path / "bold.nii.gz")
    for path in (tmp_path, *tmp_path.iterdir()):
        assert get_reader(str(path)) is None
    assert get_reader([str(tmp_path / "notes.txt"), str(tmp_path / "bold.nii.gz")]) is None


def test_an_incomplete_case_is_opened_with_a_warning(tmp_path, warnings):
    folder = write_case_along(tmp_path / "Pat_001")
    (folder / "Pat_001_t2.nii.gz").unlink()
    layers = open_path(folder)
    assert [n[8:] for n in layers] == ["FLAIR", "T1", "T1CE", "labels"]
    assert [n[8:] for n, layer in layers.items() if layer.visible] == ["T1CE", "labels"]
    assert warnings == ["Pat_001 has no T2 image; the other images were opened"]
    cases = [case_of(layer) for layer in layers.values()]
    assert all(case is cases[0] for case in cases)
    assert cases[0].missing == ("t2",)


def test_images_without_t1ce_are_opened_but_no_case(tmp_path, warnings):
    folder = write_case_along(tmp_path / "Pat_001", labels=False)
    (folder / "Pat_001_t1ce.nii.gz").unlink()
    layers = open_path(folder)
    assert [n[8:] for n in layers] == ["FLAIR", "T2", "T1"]
    assert all(len(case_of(layer).volumes) == 1 for layer in layers.values())
    assert warnings == ["Pat_001 has no T1CE image; the other images were opened"]


def test_images_are_opened_without_labels_that_cannot_be_read(tmp_path, warnings):
    folder = write_case_along(tmp_path / "Pat_001")
    moved = nib.load(folder / "Pat_001_seg.nii.gz")
    affine = nib.affines.from_matvec(moved.affine[:3, :3], moved.affine[:3, 3] + 9)
    nib.save(nib.Nifti1Image(np.asarray(moved.dataobj), affine), folder / "Pat_001_seg.nii.gz")
    assert [n[8:] for n in open_path(folder)] == ["FLAIR", "T2", "T1", "T1CE"]
    assert "Pat_001_seg.nii.gz is on another grid" in warnings[0]
    (folder / "Pat_001_seg.nii.gz").write_bytes(b"damaged")
    assert len(open_path(folder)) == 4
    assert "Pat_001_seg.nii.gz" in warnings[1]


def test_the_error_names_two_files_of_one_modality(tmp_path):
    folder = write_case_along(tmp_path / "Pat_001")
    (folder / "Pat_001_t1c.nii.gz").write_bytes((folder / "Pat_001_t1ce.nii.gz").read_bytes())
    with pytest.raises(CaseError, match=r"Pat_001_t1c\.nii\.gz and Pat_001_t1ce\.nii\.gz"):
        open_path(folder)


def test_files_opened_together_are_read_as_one_case(tmp_path):
    folder = write_case_along(tmp_path / "Pat_001", labels=False)
    paths = [str(p) for p in sorted(folder.iterdir(), reverse=True)]
    layers = get_reader(paths)(paths)
    assert [d[1]["name"][8:] for d in layers] == ["FLAIR", "T2", "T1", "T1CE"]


def test_a_single_file_is_read_as_one_layer(tmp_path):
    folder = write_case_along(tmp_path / "Pat_001", "RAS")
    ((name, layer),) = open_path(folder / "Pat_001_t1.nii.gz").items()
    assert name == "Pat_001 T1"
    assert np.array_equal(layer.data, displayed(random_volume(2)))
    ((name, layer),) = open_path(folder / "Pat_001_seg.nii.gz").items()
    assert layer._type_string == "labels"
    assert case_of(layer).grid.axcodes == "RAS"


def test_a_4d_file_is_read_in_the_channel_order_of_the_decathlon(tmp_path):
    order = ("flair", "t1", "t1ce", "t2")
    stack = np.stack([random_volume(MODALITIES.index(m)) for m in order], axis=-1)
    image = nib.Nifti1Image(stack, oriented(random_volume(0), "LPS").affine)
    nib.save(image, tmp_path / "BRATS_001.nii.gz")
    layers = open_path(tmp_path / "BRATS_001.nii.gz")
    for number, modality in enumerate(MODALITIES):
        data = layers[f"BRATS_001 {modality.upper()}"].data
        assert np.array_equal(data, displayed(random_volume(number)))


def test_a_region_mask_is_read_as_that_region(tmp_path):
    mask = (random_volume(3) > 900).astype(np.uint8)
    nib.save(oriented(mask, "PIR"), tmp_path / "Pat_001_et.nii.gz")
    ((name, layer),) = open_path(tmp_path / "Pat_001_et.nii.gz").items()
    assert name == "Pat_001 ET"
    assert role_of(layer).region == "et"
    assert np.array_equal(layer.data, displayed(mask))


def stack_of_masks() -> nib.Nifti1Image:
    masks = np.zeros((9, 10, 11, 3), np.uint8)
    masks[3:6, 3:6, 3:6, 2] = 1
    return nib.Nifti1Image(masks, oriented(random_volume(0), "LPS").affine)


@pytest.mark.parametrize("missing", [None, "t2"])
def test_a_case_is_opened_without_a_mask_that_is_not_3d(tmp_path, warnings, missing):
    folder = write_case_along(tmp_path / "Pat")
    nib.save(stack_of_masks(), folder / "Pat_seg.nii.gz")
    if missing:
        (folder / f"Pat_{missing}.nii.gz").unlink()
    layers = open_path(folder)
    assert all(layer._type_string == "image" for layer in layers.values())
    assert len(layers) == (3 if missing else 4)
    assert "Pat_seg.nii.gz has the shape 9 x 10 x 11 x 3" in warnings[-1]


def test_an_incomplete_case_is_opened_without_a_damaged_mask(tmp_path, warnings):
    folder = write_case_along(tmp_path / "Pat")
    (folder / "Pat_t2.nii.gz").unlink()
    (folder / "Pat_seg.nii.gz").write_bytes(b"damaged")
    assert len(open_path(folder)) == 3
    assert "Pat_seg.nii.gz" in warnings[-1]


def test_labels_without_a_scheme_keep_their_values(tmp_path):
    atlas = (random_volume(3) % 40).astype(np.uint8)
    nib.save(oriented(atlas, "LPS"), tmp_path / "atlas_labels.nii.gz")
    ((name, layer),) = open_path(tmp_path / "atlas_labels.nii.gz").items()
    assert (name, layer._type_string) == ("atlas_labels", "labels")
    assert np.array_equal(layer.data, displayed(atlas))


@pytest.mark.parametrize("values", [[0, 1, 2, 4], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
def test_labels_with_two_meanings_are_opened_as_numbers_and_said(tmp_path, warnings, values):
    stored = np.array(values, np.uint8)[random_volume(9) % len(values)]
    nib.save(oriented(stored, "LPS"), tmp_path / "mine_seg.nii.gz")
    ((name, layer),) = open_path(tmp_path / "mine_seg.nii.gz").items()
    assert (name, role_of(layer).scheme) == ("mine_seg", None)
    (warning,) = warnings
    assert warning.startswith("mine_seg.nii.gz: label values 1, 2, ")
    assert "rename it after its data set" in warning


def test_the_resection_cavity_of_brats_2024_is_left_out_and_said(tmp_path, warnings):
    stored = (random_volume(9) % 5).astype(np.uint8)
    nib.save(oriented(stored, "LPS"), tmp_path / "BraTS-GLI-02143-101-seg.nii.gz")
    ((_, layer),) = open_path(tmp_path / "BraTS-GLI-02143-101-seg.nii.gz").items()
    expected = np.array([0, 1, 2, 4, 0])[stored]
    assert role_of(layer).scheme == "brats2018"
    assert np.array_equal(layer.data, displayed(expected))
    assert warnings == [
        "BraTS-GLI-02143-101-seg.nii.gz: 4 is the resection cavity (brats2024), which is not "
        "tumour and is left out"
    ]


def test_labels_of_other_axes_are_shown_on_the_images(tmp_path, warnings):
    folder = write_case_along(tmp_path / "Pat", "LPS")
    stored = np.array([0, 1, 2, 4], np.float64)[random_volume(9) % 4]
    nib.save(oriented(stored, "RAS"), folder / "Pat_seg.nii.gz")
    assert np.array_equal(open_path(folder)["Pat labels"].data, displayed(stored))
    assert warnings == []


def test_the_sample_case_is_shown_upright(sample_folder):
    layers = open_path(sample_folder)
    image = nib.load(sample_folder / "BraTS2021_00019_t1ce.nii.gz")
    shown = layers["BraTS2021_00019 T1CE"]
    stored = np.asarray(image.dataobj)  # the file's axes are L, P, S
    assert np.array_equal(shown.data, displayed(stored))
    low, high = shown.contrast_limits
    assert 0 <= low < high < image.dataobj.get_unscaled().max() + 1


def test_expert_labels_of_any_orientation_can_be_painted(tmp_path, viewer):
    for axcodes in ("LPS", "RAS", "SPL"):
        path = write_case_along(tmp_path / axcodes, axcodes) / f"{axcodes}_seg.nii.gz"
        ((data, attributes, _),) = get_reader(str(path))(str(path))
        layer = viewer.add_labels(data, **attributes)
        layer.paint((4, 5, 3), 4)
        assert layer.data[4, 5, 3] == 4


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_a_mask_of_any_type_joins_the_patient_that_its_name_states(tmp_path, viewer, dtype):
    open_case(viewer, write_case(tmp_path / "P1", name="P1"))
    image = nib.load(tmp_path / "P1" / "P1_t1ce.nii.gz")
    labels = np.zeros(image.shape, dtype)
    labels[4:8, 4:8, 4:8] = 4
    path = tmp_path / "P1_review2.nii.gz"
    nib.save(nib.Nifti1Image(labels, image.affine), path)
    add_layers(viewer, get_reader(str(path))(str(path)))
    assert [patient.name for patient in active_patient(viewer).patients] == ["P1"]
    assert isinstance(viewer.layers[-1], Labels)
