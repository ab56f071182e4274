"""Reading cases: real ones, other names and grids, damaged files."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case
from smalltumor.errors import Action, CaseError, GridMismatchError, LabelError, Remedy
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import LPS, SHAPE, write_case


def test_the_sample_case_is_read_with_its_header_and_labels(sample_folder):
    case = read_case(sample_folder)
    assert case.name == "BraTS2021_00019"
    assert list(case.volumes) == list(MODALITIES)
    assert case.grid.shape == (240, 240, 155)
    assert case.grid.axcodes == "LPS"
    assert case.warnings == []
    assert case.header["qform_code"] == 1
    classes, scheme = read_labels(case)
    assert scheme.name == "brats2018"
    assert np.bincount(classes.ravel())[1:].tolist() == [1605, 131017, 10375]


def test_each_modality_is_read_from_the_file_named_after_it(sample_folder):
    case = read_case(sample_folder)
    for modality in MODALITIES:
        image = nib.load(sample_folder / f"BraTS2021_00019_{modality}.nii.gz")
        np.testing.assert_array_equal(case.volumes[modality], np.asanyarray(image.dataobj))


def test_every_real_case_is_found_and_read(shared):
    cases = [*find_cases(shared / "data/brats2021"), *find_cases(shared / "data/upenn-gbm")]
    assert len(cases) == 20
    assert [c.name for c in cases if c.problem()] == []
    upenn = read_case(next(p for p in (shared / "data" / "upenn-gbm").iterdir()))
    classes, _ = read_labels(upenn)
    assert np.bincount(classes.ravel())[1:].tolist() == [12669, 48423, 6558]


def test_four_files_of_any_name_are_a_case(tmp_path):
    write_case(tmp_path)
    given = {m: tmp_path / f"case_{m}.nii.gz" for m in MODALITIES}
    for number, modality in enumerate(MODALITIES):
        given[modality] = given[modality].rename(tmp_path / f"series{number}.nii.gz")
    case = read_case(**given)
    assert case.name == tmp_path.name
    assert case.paths == given


def test_a_file_given_by_keyword_completes_a_folder(tmp_path):
    write_case(tmp_path, modalities="flair t1 t2")
    write_case(tmp_path / "elsewhere", modalities="t1ce")
    contrast = tmp_path / "elsewhere" / "case_t1ce.nii.gz"
    assert read_case(tmp_path, t1ce=contrast).paths["t1ce"] == contrast


def test_missing_keyword_files_are_named(tmp_path):
    write_case(tmp_path)
    with pytest.raises(CaseError, match="no file for T1CE, T2"):
        read_case(flair=tmp_path / "case_flair.nii.gz", t1=tmp_path / "case_t1.nii.gz")


def test_a_case_without_t2_is_read_only_where_that_is_allowed(tmp_path):
    write_case(tmp_path, modalities="flair t1ce t1")
    with pytest.raises(CaseError, match="no T2 image beside") as caught:
        read_case(tmp_path)
    assert caught.value.remedy == Remedy(Action.NAME_MODALITIES, ("t2",))
    case = read_case(tmp_path, allow_missing=True)
    assert list(case.volumes) == ["flair", "t1ce", "t1"]
    assert list(case.paths) == ["flair", "t1ce", "t1"]
    assert case.missing == ("t2",)


def test_files_of_any_name_may_lack_flair(tmp_path):
    write_case(tmp_path)
    given = {m: tmp_path / f"case_{m}.nii.gz" for m in ("t1ce", "t2")}
    assert read_case(**given, allow_missing=True).missing == ("flair", "t1")
    with pytest.raises(CaseError, match="no file for FLAIR, T1"):
        read_case(**given)


def test_an_image_of_zeros_counts_as_missing_where_that_is_allowed(tmp_path):
    empty = np.zeros(SHAPE, np.int16), LPS
    write_case(tmp_path, t2=empty)
    with pytest.raises(CaseError, match=r"case_t2\.nii\.gz is empty: every voxel is zero"):
        read_case(tmp_path)
    case = read_case(tmp_path, allow_missing=True)
    assert case.missing == ("t2",)
    assert tmp_path / "case_t2.nii.gz" in case.sources
    (warning,) = case.warnings
    assert warning.endswith("case_t2.nii.gz: every voxel of T2 is zero; it counts as missing")
    write_case(tmp_path / "other", t1ce=empty)
    with pytest.raises(CaseError, match=r"case_t1ce\.nii\.gz is empty"):
        read_case(tmp_path / "other", allow_missing=True)


def test_no_case_is_read_without_t1ce(tmp_path):
    write_case(tmp_path, modalities="flair t1 t2")
    with pytest.raises(CaseError, match="no T1CE image beside") as caught:
        read_case(tmp_path, allow_missing=True)
    assert caught.value.remedy == Remedy(Action.NAME_MODALITIES, ("t1ce",))


def test_a_decathlon_file_is_split_in_its_channel_order(tmp_path):
    stack = np.stack([np.full(SHAPE, value, np.int16) for value in (1, 2, 3, 4)], axis=-1)
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3], labels[4, 5, 6], labels[7, 8, 9] = 1, 2, 3
    for name, data in (("imagesTr", stack), ("labelsTr", labels)):
        (tmp_path / name).mkdir()
        nib.save(nib.Nifti1Image(data, LPS), tmp_path / name / "BRATS_001.nii.gz")
    case = read_case(tmp_path / "imagesTr" / "BRATS_001.nii.gz")
    assert {m: int(v[0, 0, 0]) for m, v in case.volumes.items()} == {
        "flair": 1,
        "t1": 2,
        "t1ce": 3,
        "t2": 4,
    }
    classes, scheme = read_labels(case)
    assert scheme.name == "msd"
    assert classes[1, 2, 3] == TissueClass.ED
    assert classes[4, 5, 6] == TissueClass.NCR
    assert classes[7, 8, 9] == TissueClass.ET


def test_a_3d_file_without_a_modality_is_refused_by_its_name(tmp_path):
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.int16), LPS), tmp_path / "brain.nii.gz")
    with pytest.raises(CaseError, match=r"brain\.nii\.gz: the name does not contain its sequence"):
        read_case(tmp_path / "brain.nii.gz")


def test_a_different_affine_is_an_error_with_both_grids(tmp_path):
    moved = LPS.copy()
    moved[0, 3] = 3
    write_case(tmp_path, t2=(np.ones(SHAPE, np.int16), moved))
    with pytest.raises(GridMismatchError) as caught:
        read_case(tmp_path)
    text = str(caught.value)
    assert "case_t2.nii.gz" in text
    assert "(3, 0, 0)" in text
    assert "(0, 0, 0)" in text
    assert caught.value.remedy == Remedy(Action.RESAMPLE)


def test_a_modality_of_another_shape_is_resampled_when_asked(tmp_path):
    # A bright block at 2 mm voxels, at the same patient coordinates, between voxel centres.
    coarse = np.zeros((10, 11, 9), np.int16)
    coarse[2:4, 7:9, 5:7] = 1000
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    affine[:3, 3] = LPS[:3, :3] @ np.full(3, 0.5)
    write_case(tmp_path, t2=(coarse, affine))
    with pytest.raises(GridMismatchError):
        read_case(tmp_path)
    t2 = read_case(tmp_path, resample=True).volumes["t2"]
    assert t2.shape == SHAPE
    assert t2[5, 15, 11] == pytest.approx(1000)
    centre = np.argwhere(t2 > 500).mean(axis=0)
    np.testing.assert_allclose(centre, (5.5, 15.5, 11.5), atol=0.5)


def test_an_empty_image_is_refused(tmp_path):
    write_case(tmp_path, flair=(np.zeros(SHAPE, np.int16), LPS))
    with pytest.raises(CaseError, match=r"case_flair\.nii\.gz is empty"):
        read_case(tmp_path)


def test_a_4d_modality_is_refused(tmp_path):
    write_case(tmp_path, t1=(np.ones((*SHAPE, 2), np.int16), LPS))
    with pytest.raises(CaseError, match=r"case_t1\.nii\.gz has the shape"):
        read_case(tmp_path)


def test_a_header_without_orientation_gets_a_warning(tmp_path):
    write_case(tmp_path, affine=None)
    (warning,) = read_case(tmp_path).warnings
    assert "left and right" in warning


@pytest.mark.parametrize("resample", [False, True])
def test_an_image_that_lost_its_orientation_is_not_put_on_the_grid_of_the_others(
    tmp_path, resample
):
    other = np.ones((10, 11, 9), np.int16)
    write_case(tmp_path, flair=(other, None))
    with pytest.raises(GridMismatchError) as caught:
        read_case(tmp_path, resample=resample)
    assert "case_flair.nii.gz: " in str(caught.value) and "may be mirrored" in str(caught.value)
    assert caught.value.remedy is None


@pytest.mark.parametrize("sign", [1, -1])
def test_sform_and_qform_that_disagree_about_left_and_right_get_a_warning(tmp_path, sign):
    write_case(tmp_path)
    path = tmp_path / "case_t1.nii.gz"
    image = nib.load(path)
    image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
    image.set_sform(LPS, code=1)
    image.set_qform(LPS @ np.diag([sign, 1, 1, 1]), code=1)
    nib.save(image, path)
    warnings = read_case(tmp_path).warnings
    assert [w for w in warnings if "sform and qform disagree" in w and "case_t1" in w] == warnings
    assert len(warnings) == (sign == -1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_around_the_brain_become_zero(tmp_path, value):
    write_case(tmp_path)
    expected = read_case(tmp_path).volumes["t2"]
    masked = np.where(expected == 0, value, expected).astype(np.float32)
    masked[0] = 0
    nib.save(nib.Nifti1Image(masked, LPS), tmp_path / "case_t2.nii.gz")
    volume = read_case(tmp_path).volumes["t2"]
    np.testing.assert_array_equal(volume[expected > 0], expected[expected > 0])
    assert np.isfinite(volume).all()


@pytest.mark.parametrize(
    ("words", "hint"), [("flair t1ce t1 t2", "brats2018"), ("t2f t1c t1n t2w", "brats2023")]
)
def test_labels_are_read_in_the_scheme_of_their_naming(tmp_path, words, hint):
    write_case(tmp_path, modalities=words)
    classes = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)
    stored = SCHEMES[hint].encode(classes)
    nib.save(nib.Nifti1Image(stored, LPS), tmp_path / "case_seg.nii.gz")
    case = read_case(tmp_path)
    read, scheme = read_labels(case)
    assert scheme.name == hint
    np.testing.assert_array_equal(read, classes)


def test_missing_misplaced_and_unknown_labels_are_refused(tmp_path):
    write_case(tmp_path)
    with pytest.raises(CaseError, match="no segmentation"):
        read_labels(read_case(tmp_path))
    path = tmp_path / "case_seg.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.uint8), np.diag([1.0, -1, 1, 1])), path)
    with pytest.raises(GridMismatchError, match=r"case_seg\.nii\.gz"):
        read_labels(read_case(tmp_path))
    nib.save(nib.Nifti1Image(np.full(SHAPE, 9, np.uint8), LPS), path)
    with pytest.raises(LabelError, match=r"case_seg\.nii\.gz.*9"):
        read_labels(read_case(tmp_path))


def test_reading_changes_no_file(tmp_path, sample_folder):
    copy = tmp_path / "case"
    shutil.copytree(sample_folder, copy)
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in copy.iterdir()}
    case = read_case(copy)
    read_labels(case)
    with pytest.raises(ValueError, match="read-only"):
        case.volumes["t1"][0, 0, 0] = 1
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in copy.iterdir()} == before


def stacked_labels(kind):
    """Labels of `SHAPE` with a fourth axis: one-hot classes, regions, or anything else."""
    classes = np.random.default_rng(0).integers(0, 4, SHAPE)
    if kind == "one-hot classes":
        return (classes[..., None] == np.arange(4)).astype(np.uint8)
    if kind == "regions":
        return np.stack([classes == 3, np.isin(classes, (1, 3)), classes > 0], -1).astype(np.uint8)
    return np.stack([classes, classes], -1).astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "one-hot classes",
            r"case_seg\.nii\.gz has the shape .* x 4: a stack of 4 masks",
        ),
        ("regions", r"case_seg\.nii\.gz has the shape .* x 3: a stack of 3 masks"),
        ("time points", r"case_seg\.nii\.gz has the shape 20 x 22 x 18 x 2; a label volume is 3D"),
    ],
)
@pytest.mark.parametrize("scheme", [None, "brats2018"])
def test_labels_with_a_fourth_axis_are_refused(tmp_path, kind, text, scheme):
    write_case(tmp_path)
    nib.save(nib.Nifti1Image(stacked_labels(kind), LPS), tmp_path / "case_seg.nii.gz")
    with pytest.raises(LabelError, match=text):
        read_labels(read_case(tmp_path), scheme)


def test_a_fourth_axis_of_length_one_is_dropped(tmp_path):
    write_case(tmp_path)
    classes = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)
    stored = SCHEMES["brats2018"].encode(classes)[..., None, None]
    nib.save(nib.Nifti1Image(stored, LPS), tmp_path / "case_seg.nii.gz")
    np.testing.assert_array_equal(read_labels(read_case(tmp_path))[0], classes)
