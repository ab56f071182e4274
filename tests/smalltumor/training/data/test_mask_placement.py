"""A mask that is mirrored or another patient's is doubtful, an expert's is not."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.cli import main
from smalltumor.data.label_files import read_labels
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.data.read_case import read_case
from smalltumor.labels.regions import TissueClass
from smalltumor.training.data import cache
from smalltumor.training.data.dataset import labelled_cases, prepare_case, prepare_cases
from smalltumor.training.data.dataset_check import check_dataset
from smalltumor.training.data.flair_edge import DOUBTFUL, brighter_inside
from smalltumor.training.data.mask_placement import placement_warnings
from training_cases import AFFINE, SHAPE, write_lesion_cases

SPACING = np.ones(3)


def ball(centre: tuple[float, ...], radius: float) -> np.ndarray:
    where = np.stack(np.indices(SHAPE), axis=-1)
    return np.linalg.norm(where - np.array(centre), axis=-1) < radius


@pytest.fixture(scope="module")
def sample(sample_folder):
    case = read_case(sample_folder)
    return case, read_labels(case)[0]


def test_the_experts_mask_of_the_sample_is_not_doubtful(sample):
    case, classes = sample
    assert placement_warnings(case, classes) == []


@pytest.mark.parametrize("axis", [0, 1])
def test_the_mask_of_the_sample_is_doubtful_if_it_is_mirrored(sample, axis):
    case, classes = sample
    (warning,) = placement_warnings(case, np.flip(classes, axis))
    assert "may be mirrored or another patient's" in warning


def test_a_mirrored_mask_within_the_brain_is_doubtful(sample):
    case, classes = sample
    brain = np.logical_or.reduce([volume != 0 for volume in case.volumes.values()])
    (warning,) = placement_warnings(case, np.where(brain, classes[::-1], 0))
    assert "FLAIR is not clearly brighter within its border" in warning


def test_nothing_is_said_without_flair_or_without_edema(sample):
    case, classes = sample
    brain = np.logical_or.reduce([volume != 0 for volume in case.volumes.values()])
    mirrored = np.where(brain, classes[::-1], 0)
    without = {name: image for name, image in case.volumes.items() if name != "flair"}
    assert placement_warnings(replace(case, volumes=without), mirrored) == []
    core = np.where(mirrored == TissueClass.ED, 0, mirrored)
    assert placement_warnings(case, core) == []


@given(
    centre=st.tuples(*(st.floats(12, size - 13) for size in SHAPE)),
    radius=st.floats(6, 9),
    scale=st.floats(0.01, 100),
    power=st.floats(0.3, 3),
)
def test_the_probability_depends_on_the_order_of_the_intensities_alone(
    centre, radius, scale, power
):
    mask = ball(centre, radius)
    noise = np.random.default_rng(0).uniform(1, 2, SHAPE)
    bright = brighter_inside(noise + 2 * mask, mask, SPACING)
    assert bright == 1.0
    assert brighter_inside(5 - (noise + 2 * mask), mask, SPACING) == 0.0
    plain = brighter_inside(noise, mask, SPACING)
    assert plain is not None and abs(plain - 0.5) < 0.1 < DOUBTFUL - 0.5
    assert brighter_inside(scale * noise**power, mask, SPACING) == pytest.approx(plain, abs=1e-3)


@given(shift=st.integers(0, 2**16))
def test_images_of_integers_count_equal_voxels_as_half(shift):
    mask = ball((20, 22, 19), 8)
    assert brighter_inside(np.full(SHAPE, 1 + shift), mask, SPACING) == 0.5


def test_voxels_outside_the_brain_and_too_few_voxels_tell_nothing():
    mask = ball((20, 22, 19), 8)
    inside_only = np.where(mask, 100, 0)
    assert brighter_inside(inside_only, mask, SPACING) is None
    assert brighter_inside(np.full(SHAPE, 1), ball((20, 22, 19), 2), SPACING) is None
    assert brighter_inside(np.full(SHAPE, 1), np.zeros(SHAPE, bool), SPACING) is None


def test_the_band_along_the_border_is_as_wide_in_mm_for_other_voxels():
    mask = ball((20, 22, 19), 14)
    flair = np.select([ball((20, 22, 19), 9), mask], [100, 200], 150)  # dark below a bright rim
    assert brighter_inside(flair, mask, SPACING) == 1.0
    assert brighter_inside(flair, mask, 0.3 * SPACING) < 0.9


def test_the_check_and_a_run_warn_of_another_patients_mask(tmp_path, capsys):
    folder = write_lesion_cases(tmp_path / "cases", 3)
    classes = np.zeros(SHAPE, np.uint8)
    classes[ball((20, 22, 19), 12) & ~ball((20, 22, 19), 9)] = 2  # around any lesion
    nib.save(nib.Nifti1Image(classes, AFFINE), folder / "case_01" / "case_01_seg.nii.gz")
    first, second, third = check_dataset(folder)
    assert first.warnings == third.warnings == []
    (warning,) = second.warnings
    assert second.problem is None and "FLAIR is not clearly brighter" in warning
    assert main(["train", str(folder), "--check"]) == 0
    assert f"warning: {warning}" in capsys.readouterr().out
    files = labelled_cases(folder)[1]
    assert warning in prepare_case(files, Preprocessing()).warnings


def test_cases_that_were_prepared_before_a_check_existed_are_checked(tmp_path, monkeypatch):
    folder = write_lesion_cases(tmp_path / "cases", 1)
    cases, prepared = labelled_cases(folder), tmp_path / "cache"
    monkeypatch.setattr(cache, "_CHECKS_VERSION", 1)
    prepare_cases(cases, Preprocessing(), prepared)
    before = set(prepared.iterdir())
    prepare_cases(cases, Preprocessing(), prepared)
    assert set(prepared.iterdir()) == before
    monkeypatch.undo()
    prepare_cases(cases, Preprocessing(), prepared)
    assert set(prepared.iterdir()) > before
