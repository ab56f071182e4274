"""Cases are prepared once, as inference sees them; crops meet small lesions often."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.preprocessing import Preprocessing, preprocess
from smalltumor.data.read_case import read_case_files
from smalltumor.errors import TrainingError
from smalltumor.training.data import dataset
from smalltumor.training.data.crops import sample_crop
from smalltumor.training.data.dataset import labelled_cases, prepare_case, prepare_cases
from smalltumor.training.data.training_case import TrainingCase
from training_cases import disagree_about_sides, write_lesion_cases

PREPROCESSING = Preprocessing()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_lesion_cases(tmp_path_factory.mktemp("cases"), 2)


@pytest.fixture
def prepared(folder, tmp_path):
    return prepare_cases(labelled_cases(folder), PREPROCESSING, tmp_path)


def with_seeds(*rows: tuple[int, ...], shape=(40, 40, 40)) -> TrainingCase:
    classes = np.zeros(shape, np.uint8)
    for tissue, _, _, i, j, k in rows:
        classes[i, j, k] = tissue
    image = torch.ones((4, *shape), dtype=torch.float16)
    return TrainingCase(
        "case", image, torch.from_numpy(classes), np.array(rows, np.int32).reshape(-1, 6)
    )


def test_prepared_volume_is_what_inference_gets(folder, prepared):
    case = read_case_files(labelled_cases(folder)[0])
    expected = preprocess(case, PREPROCESSING).array
    np.testing.assert_allclose(prepared[0].image, expected, atol=2e-3, rtol=1e-3)
    assert prepared[0].classes.shape == expected.shape[1:]
    assert set(prepared[0].classes.unique().tolist()) == {0, 1, 2, 3}


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="no list of mapped files")
def test_volumes_are_mapped_and_not_read(prepared, tmp_path):
    maps = Path("/proc/self/maps").read_text().splitlines()
    mapped = [line for line in maps if str(tmp_path) in line and line.endswith(".image.npy")]
    assert len(mapped) == len(prepared)


def test_an_unchanged_case_is_not_prepared_again(folder, tmp_path):
    cases = labelled_cases(folder)
    prepare_cases(cases, PREPROCESSING, tmp_path)
    before = {p: p.stat().st_ino for p in tmp_path.iterdir()}
    prepare_cases(cases, PREPROCESSING, tmp_path)
    assert {p: p.stat().st_ino for p in tmp_path.iterdir()} == before


def test_other_preprocessing_or_content_is_prepared_anew(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 1)
    cache = tmp_path / "cache"
    first = prepare_cases(labelled_cases(folder), PREPROCESSING, cache)[0].image[:]
    other = prepare_cases(labelled_cases(folder), Preprocessing(lower=5, upper=95), cache)
    assert not torch.equal(other[0].image, first)
    write_lesion_cases(tmp_path / "other", 2)
    for file in (tmp_path / "other" / "case_01").iterdir():
        (folder / "case_00" / file.name.replace("01", "00")).write_bytes(file.read_bytes())
    changed = prepare_cases(labelled_cases(folder), PREPROCESSING, cache)[0].image
    assert not torch.equal(changed, first)


def test_what_makes_a_case_doubtful_is_kept_with_it(tmp_path, monkeypatch):
    folder = write_lesion_cases(tmp_path / "cases", 2)
    disagree_about_sides(folder / "case_00" / "case_00_t1.nii.gz")
    found = [Finding(FindingKind.SPACING, 9.0)]
    monkeypatch.setattr(dataset, "check_input", lambda case: found * (case.name == "case_01"))
    for _ in range(2):  # prepared, and from the cache
        one, other = prepare_cases(labelled_cases(folder), PREPROCESSING, tmp_path / "cache")
        assert ["disagree about left and right" in text for text in one.warnings] == [True]
        assert other.warnings == (str(found[0]),)
    assert prepare_case(labelled_cases(folder)[0], PREPROCESSING).warnings == one.warnings


def test_one_image_in_two_roles_is_not_trained_on(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 1)
    images = folder / "case_00"
    shutil.copy(images / "case_00_t1ce.nii.gz", images / "case_00_t1.nii.gz")
    with pytest.raises(TrainingError, match=r"case_00 cannot be .* are the same image"):
        prepare_cases(labelled_cases(folder), PREPROCESSING, tmp_path / "cache")


def test_an_unreadable_case_is_named(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 1)
    (folder / "case_00" / "case_00_t1.nii.gz").write_bytes(b"not gzip")
    with pytest.raises(TrainingError, match="case_00 cannot be trained on"):
        prepare_cases(labelled_cases(folder), PREPROCESSING, tmp_path / "cache")


def test_a_case_without_mask_is_named(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 2)
    (folder / "case_01" / "case_01_seg.nii.gz").unlink()
    with pytest.raises(TrainingError, match="case_01: has no segmentation"):
        labelled_cases(folder)


def test_excluded_cases_are_left_out(folder):
    assert [case.name for case in labelled_cases(folder, exclude=["case_00"])] == ["case_01"]
    with pytest.raises(TrainingError, match="no case is left"):
        labelled_cases(folder, exclude=["case_00", "case_01"])


def test_crops_hold_the_case_s_voxels_and_zeros_beyond(prepared):
    rng = np.random.default_rng(0)
    whole = prepared[0]
    image, classes = sample_crop(whole, 96, 1.0, rng)
    assert image.shape == (4, 96, 96, 96)
    assert (classes > 0).sum() == (whole.classes > 0).sum()
    assert float(image.double().sum()) == pytest.approx(float(whole.image.double().sum()), abs=1)


def test_tumour_crops_hold_the_voxel_they_are_centred_on():
    case = with_seeds((3, 0, 1, 2, 38, 20))
    rng = np.random.default_rng(1)
    for _ in range(20):
        _, classes = sample_crop(case, 16, 1.0, rng)
        assert (classes == 3).sum() == 1


def test_a_crop_given_with_its_surroundings_is_the_same_crop():
    case = with_seeds((3, 0, 1, 2, 38, 20))
    for seed in range(10):
        narrow, wide = (
            sample_crop(case, 16, 0.5, np.random.default_rng(seed), margin)[0] for margin in (0, 3)
        )
        assert wide.shape == (4, 22, 22, 22)
        np.testing.assert_array_equal(wide[:, 3:-3, 3:-3, 3:-3], narrow)


def test_a_small_component_is_met_almost_as_often_as_a_large_one():
    large = [(3, 0, 8000, 5, 5, n) for n in range(40)]
    case = with_seeds(*large, (3, 1, 27, 35, 35, 20))
    rng = np.random.default_rng(2)
    met = sum((sample_crop(case, 16, 1.0, rng)[1][:, :, :] == 3).sum() == 1 for _ in range(400))
    # Cube roots of the volumes: 20 and 3, so 3 crops in 23.
    assert met / 400 == pytest.approx(3 / 23, abs=0.05)


def test_a_case_without_tumour_gives_crops_too():
    image, classes = sample_crop(with_seeds(), 16, 1.0, np.random.default_rng(3))
    assert image.all()
    assert not classes.any()
