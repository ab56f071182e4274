"""Candidates that were written to files are read for their own mask, and for no other."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from second_look_cases import Spot, ball, case_with, output_for
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import SmalltumorError
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import LesionList, find_lesions, measure_lesion, write_csv
from smalltumor.second_look import LesionGrower, SecondLook, label_image, read_candidates
from smalltumor.second_look.stored import NoCandidatesError
from synthetic import LPS

SHAPE = (20, 22, 24)
GRID = Grid(SHAPE, LPS)
PLACES = ((4, 4, 4), (12, 12, 12))


def mask_with(*boxes, grid: Grid = GRID) -> Segmentation:
    """A mask with enhancing boxes of some voxels along i."""
    classes = np.zeros(grid.shape, np.uint8)
    for place, voxels in boxes:
        i, j, k = place
        classes[i : i + voxels, j, k] = TissueClass.ET
    return Segmentation("Pat", classes, grid)


MASK = mask_with(((2, 18, 18), 2), ((8, 3, 20), 5))


def candidates():
    """Two candidates of 8 voxels, the less likely one first."""
    found = []
    for number, (place, score) in enumerate(zip(PLACES, (0.2, 0.4), strict=True), start=3):
        voxels = np.argwhere(np.ones((2, 2, 2))) + place
        lesion = measure_lesion(number, voxels, GRID, Region.ET)
        found.append(
            replace(
                lesion, list_name=LesionList.SECOND_LOOK, score=score, mean_probability=score / 4
            )
        )
    return found


def write(folder: Path, mask=MASK, offered=None, image=None) -> tuple[Path, Path]:
    """Write an image and a table, as a cohort's run does; give their paths."""
    offered = candidates() if offered is None else offered
    paths = folder / "candidates.nii.gz", folder / "lesions.csv"
    image = label_image(offered, GRID) if image is None else image
    write_volume(paths[0], image, GRID, None, overwrite=True)
    found = [replace(lesion, mean_probability=0.9) for lesion in find_lesions(mask)]
    write_csv([*found, *offered], paths[1], overwrite=True)
    return paths


def test_candidates_come_back_with_their_voxels_and_scores_the_likeliest_first(tmp_path):
    stored = read_candidates(*write(tmp_path), MASK)
    lesions = stored.lesions(first_id=100, threshold=5)
    assert [lesion.id for lesion in lesions] == [100, 101]
    assert [lesion.score for lesion in lesions] == [0.4, 0.2]
    assert all(lesion.list_name is LesionList.SECOND_LOOK for lesion in lesions)
    assert [lesion.mean_probability for lesion in lesions] == [0.1, 0.05]
    assert not any(lesion.is_small for lesion in lesions)
    expected = np.argwhere(np.ones((2, 2, 2))) + PLACES[1]
    assert np.array_equal(lesions[0].indices, expected)
    assert [len(component.voxels) for component in stored.found] == [2, 5]
    assert [component.mean_probability for component in stored.found] == [0.9, 0.9]


def test_a_table_without_candidates_needs_no_image(tmp_path):
    image, table = write(tmp_path, offered=[])
    assert read_candidates(image, table, MASK).lesions() == []
    image.unlink()
    assert read_candidates(image, table, MASK).lesions() == []


def test_an_image_that_is_missing_is_told_from_one_that_is_wrong(tmp_path):
    image, table = write(tmp_path)
    image.unlink()
    with pytest.raises(NoCandidatesError, match=r"candidates\.nii\.gz is missing"):
        read_candidates(image, table, MASK)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(mask_with(((2, 18, 18), 2)), id="fewer components"),
        pytest.param(mask_with(((2, 18, 18), 2), ((8, 3, 20), 6)), id="a larger component"),
        pytest.param(mask_with(((2, 18, 18), 2), ((9, 3, 20), 5)), id="a moved component"),
        pytest.param(mask_with(), id="nothing found"),
    ],
)
def test_the_files_of_another_mask_are_refused(tmp_path, other):
    with pytest.raises(SmalltumorError, match="is not of this mask"):
        read_candidates(*write(tmp_path), other)


def moved() -> np.ndarray:
    return np.roll(label_image(candidates(), GRID), 1, axis=0)


def renumbered() -> np.ndarray:
    image = label_image(candidates(), GRID)
    return np.where(image == 4, 9, image)


def exchanged() -> np.ndarray:
    image = label_image(candidates(), GRID)
    return np.where(image == 3, 4, np.where(image == 4, 3, image))


@pytest.mark.parametrize("image", [moved, renumbered, exchanged])
def test_an_image_that_disagrees_with_its_table_is_refused(tmp_path, image):
    with pytest.raises(SmalltumorError, match="list different candidates"):
        read_candidates(*write(tmp_path, image=image()), MASK)


def test_an_image_with_candidates_that_no_row_lists_is_refused(tmp_path):
    image, table = write(tmp_path, offered=[], image=label_image(candidates(), GRID))
    with pytest.raises(SmalltumorError, match="list different candidates"):
        read_candidates(image, table, MASK)


def test_an_image_on_another_grid_is_refused(tmp_path):
    image, table = write(tmp_path)
    shifted = GRID.affine.copy()
    shifted[0, 3] += 3
    write_volume(image, label_image(candidates(), GRID), Grid(SHAPE, shifted), None, overwrite=True)
    with pytest.raises(SmalltumorError, match="on another grid than the mask"):
        read_candidates(image, table, MASK)


def test_candidates_that_lie_in_the_mask_are_of_another_one(tmp_path):
    inside = mask_with((PLACES[0], 2))
    with pytest.raises(SmalltumorError, match="candidates lie within this one"):
        read_candidates(*write(tmp_path, mask=inside), inside)


@pytest.mark.parametrize(
    ("column", "value"), [("score", "1.5"), ("voxels", "many"), ("id", ""), ("score", "nan")]
)
def test_a_table_with_an_impossible_value_is_refused(tmp_path, column, value):
    image, table = write(tmp_path)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[-1][column] = value
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(SmalltumorError, match=r"lesions\.csv is damaged"):
        read_candidates(image, table, MASK)


def test_a_table_of_another_program_is_refused(tmp_path):
    image, table = write(tmp_path)
    table.write_text("name,size\nx,1\n")
    with pytest.raises(SmalltumorError, match="no column"):
        read_candidates(image, table, MASK)


SPOT = Spot((40, 30, 32), 4)


def test_a_spot_is_grown_beside_a_mask_as_with_the_networks_probabilities():
    found = Spot((24, 42, 28), 5, 500, logit=8)
    case = case_with(SPOT, found)
    output = output_for(case, found)
    look, grower = SecondLook.of(case, output), LesionGrower.beside(case, output.to_classes())
    assert look is not None and grower is not None and grower.lookup is None
    assert grower.maps.slope == pytest.approx(look.maps.slope, rel=0.02)
    assert np.array_equal(grower.grow(SPOT.centre), look.grow(SPOT.centre))
    assert len(grower.grow((24, 30, 20))) == 0


@pytest.mark.parametrize("affine", [np.diag([1.0, 1.0, 1.0, 1.0]), np.diag([-1.2, -1.2, 1.2, 1])])
def test_growing_beside_a_mask_holds_on_any_grid(affine):
    case = case_with(SPOT, affine=affine)
    grower = LesionGrower.beside(case, np.zeros(case.grid.shape, np.uint8))
    assert grower is not None
    truth = ball(SPOT.centre, SPOT.radius)
    grown = np.zeros(truth.shape, bool)
    grown[tuple(grower.grow(SPOT.centre).T)] = True
    assert 2 * (grown & truth).sum() / (grown.sum() + truth.sum()) > 0.85


def test_nothing_is_grown_without_t1_or_without_a_brain():
    case = case_with(SPOT, modalities="flair t1ce t2")
    classes = np.zeros(case.grid.shape, np.uint8)
    assert LesionGrower.beside(case, classes) is None
    empty = case_with(SPOT)
    for volume in empty.volumes.values():
        volume[:] = 0
    assert LesionGrower.beside(empty, classes) is None
