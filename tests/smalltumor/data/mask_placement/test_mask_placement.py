"""A mask that is mirrored or another patient's is doubtful, an expert's is not."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from smalltumor.cli import main
from smalltumor.data.mask_placement.flair_border import DOUBTFUL, brighter_inside
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.data.read_case import read_case
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.mirroring import MIRRORINGS, mirrored
from smalltumor.labels.regions import TissueClass
from smalltumor.training.data import cache
from smalltumor.training.data.dataset import labelled_cases, prepare_case, prepare_cases
from smalltumor.training.data.dataset_check import check_training_cases
from training_cases import AFFINE, SHAPE, write_lesion_cases

SPACING = np.ones(3)


def ball(centre: tuple[float, ...], radius: float) -> np.ndarray:
    where = np.stack(np.indices(SHAPE), axis=-1)
    return np.linalg.norm(where - np.array(centre), axis=-1) < radius


@pytest.fixture(scope="module")
def sample(sample_folder):
    case = read_case(sample_folder)
    return case, read_labels(case)[0]


def within_brain(case, classes):
    """Classes without what would lie outside the brain."""
    brain = np.logical_or.reduce([volume != 0 for volume in case.volumes.values()])
    return np.where(brain, classes, 0).astype(np.uint8)


def reordered(case, classes, axes, flipped):
    """A case and its classes as another program stores them: the same voxels, in another order."""
    grid = case.grid
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for new, old in enumerate(axes):
        matrix[old, new] = -1 if old in flipped else 1
        matrix[old, 3] = grid.shape[old] - 1 if old in flipped else 0

    def stored(volume):
        return np.transpose(np.flip(volume, flipped), axes)

    shape = tuple(grid.shape[axis] for axis in axes)
    volumes = {name: stored(volume) for name, volume in case.volumes.items()}
    other = replace(case, volumes=volumes, grid=Grid(shape, grid.affine @ matrix))
    return other, stored(classes)


@pytest.fixture(scope="module")
def cropped(sample):
    """The sample without most of its margin, so that many variants are quick."""
    case, classes = sample
    box = (slice(30, 210), slice(20, 220), slice(0, 155))
    volumes = {name: volume[box] for name, volume in case.volumes.items()}
    offset = np.eye(4)
    offset[:3, 3] = 30, 20, 0
    grid = Grid(volumes["t1ce"].shape, case.grid.affine @ offset)
    return replace(case, volumes=volumes, grid=grid), classes[box]


def test_the_experts_mask_of_the_sample_is_not_doubtful(sample):
    case, classes = sample
    assert placement_text(case, classes) == ""


@settings(max_examples=12)
@given(
    axes=st.permutations(range(3)),
    flipped=st.sets(st.integers(0, 2)),
    mirroring=st.sampled_from(list(MIRRORINGS)),
)
def test_a_mirrored_mask_is_said_to_be_mirrored_that_way_in_any_order_of_voxels(
    cropped, axes, flipped, mirroring
):
    case, classes = cropped
    image = dict(mirrored(classes, case.grid))[mirroring]
    other, stored = reordered(case, within_brain(case, image), axes, tuple(flipped))
    assert placement_text(other, stored).startswith(
        f"the mask seems to be mirrored {mirroring}: FLAIR is brighter within its border"
    )


def test_a_mask_in_the_wrong_place_that_no_mirroring_explains_may_be_of_another_patient(sample):
    case, classes = sample
    moved = within_brain(case, np.roll(classes, -45, axis=1))
    text = placement_text(case, moved)
    assert text.startswith("the mask may be mirrored or another patient's: FLAIR is not clearly")
    assert "outside the brain" not in text


def test_a_brush_that_left_the_brain_is_said_and_not_taken_for_another_patient(sample):
    case, classes = sample
    outside = np.logical_and.reduce([volume == 0 for volume in case.volumes.values()])
    rows = np.argwhere(outside & ndimage.binary_dilation(classes > 0, iterations=20))[:2000]
    assert len(rows) == 2000
    drawn = classes.copy()
    drawn[tuple(rows.T)] = TissueClass.ED
    total = np.count_nonzero(drawn)
    assert placement_text(case, drawn) == (
        f"2,000 of {total:,} tumour voxels lie outside the brain, where all images are 0"
    )


def test_without_flair_or_edema_only_voxels_outside_the_brain_are_said(sample):
    case, classes = sample
    without = replace(case, volumes={n: v for n, v in case.volumes.items() if n != "flair"})
    assert placement_text(without, within_brain(case, classes[::-1])) == ""
    text = placement_text(without, classes[:, :, ::-1])
    assert text.endswith("all images are 0; the mask may be mirrored or another patient's")
    core = np.where(classes == TissueClass.ED, 0, classes)
    assert placement_text(case, within_brain(case, core[::-1])) == ""


def test_a_mask_without_images_is_not_doubtful(sample):
    case, classes = sample
    assert placement_text(replace(case, volumes={}), classes) == ""


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
    first, second, third = check_training_cases(folder)
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
