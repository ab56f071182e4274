"""Lesions of the sample case and of synthetic volumes, and their tables."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import GridMismatchError, OutputError
from smalltumor.geometry.grid import Grid, reoriented, to_axes
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from smalltumor.lesions import (
    COLUMNS,
    case_cells,
    csv_text,
    find_lesions,
    lesion_components,
    lesion_row,
    sort_lesions,
    table_text,
    write_csv,
)

SHEARED = np.array([[-0.9, 0, 0.1, 90], [0, -1.2, 0, 110], [0, 0.2, 2.5, -70], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def real(sample_folder):
    volume = read_nifti(sample_folder / "BraTS2021_00019_seg.nii.gz")
    return SCHEMES["brats2018"].decode(volume.data), volume.grid


@pytest.fixture
def synthetic():
    """Three ET lesions of 1, 6 and 8 voxels on a grid of 9 x 10 x 11, one with a necrotic edge."""
    classes = np.zeros((9, 10, 11), np.uint8)
    classes[1, 2, 3] = TissueClass.ET
    classes[4:6, 4:7, 8] = TissueClass.ET
    classes[6:8, 0:2, 0:2] = TissueClass.ET
    classes[5, 7, 8] = TissueClass.NCR
    return classes, Grid(classes.shape, SHEARED)


def test_the_sample_case_has_an_enhancing_lesion_of_319_voxels(real):
    small, large = find_lesions(*real)
    assert (small.voxels, small.is_small, large.voxels, large.is_small) == (319, True, 10056, False)
    assert small.bbox == ((151, 163), (91, 103), (71, 81))
    assert small.ml == pytest.approx(0.319)
    assert small.centroid_ras_mm == pytest.approx((-156.345, 142.639, 75.652), abs=1e-3)
    assert small.mean_probability is None


def test_position_and_volume_follow_from_array_and_affine(synthetic):
    classes, grid = synthetic
    one, six, eight = find_lesions(classes, grid)
    assert [one.voxels, six.voxels, eight.voxels] == [1, 6, 8]
    assert one.centroid_voxel == (1, 2, 3)
    assert six.centroid_voxel == pytest.approx((4.5, 5, 8))
    assert six.centroid_ras_mm == pytest.approx((SHEARED @ (4.5, 5, 8, 1))[:3])
    assert six.mm3 == pytest.approx(6 * (0.9 * 1.2 * 2.5))
    assert eight.bbox == ((6, 8), (0, 2), (0, 2))


def test_patient_coordinates_are_independent_of_the_axis_order(synthetic):
    classes, grid = synthetic
    for axcodes in ("RAS", "ILA", "PSR"):
        reoriented_classes = to_axes(classes, grid, axcodes)
        for expected, found in zip(
            find_lesions(classes, grid),
            find_lesions(reoriented_classes, reoriented(grid, axcodes)),
            strict=True,
        ):
            assert found.centroid_ras_mm == pytest.approx(expected.centroid_ras_mm)
            assert found.diameter_mm == pytest.approx(expected.diameter_mm)


def test_a_region_contains_the_inner_ones(synthetic):
    assert [x.voxels for x in find_lesions(*synthetic, region="tc")] == [1, 7, 8]


def test_threshold_in_mm3_decides_what_is_small(synthetic):
    # Voxels of 2.7 mm3: lesions of 2.7, 16.2 and 21.6 mm3.
    assert [x.is_small for x in find_lesions(*synthetic, threshold=16.2)] == [True, False, False]
    assert [x.is_small for x in find_lesions(*synthetic, threshold=16.3)] == [True, True, False]
    assert all(x.is_small for x in find_lesions(*synthetic))


@pytest.mark.parametrize(
    ("spacing", "edge", "small"),
    [
        ((0.9, 0.9, 5.0), (21, 21, 5), False),  # 2205 voxels are 8930 mm3
        ((0.9, 0.9, 5.0), (10, 10, 5), False),  # 500 voxels are 2025 mm3
        ((0.9, 0.9, 5.0), (9, 10, 5), True),  # 450 voxels are 1823 mm3
        ((0.5, 0.5, 0.5), (16, 16, 16), True),  # 4096 voxels are 512 mm3
        ((1.0, 1.0, 1.0), (20, 10, 10), False),
        ((1.0, 1.0, 1.0), (1999, 1, 1), True),
    ],
)
def test_small_is_a_volume_of_the_patient_whatever_the_voxels(spacing, edge, small):
    mask = np.ones(edge, bool)
    (lesion,) = find_lesions(mask, Grid(mask.shape, np.diag([*spacing, 1.0])))
    assert lesion.is_small is small


def test_a_lesion_of_exactly_the_limit_is_not_small_after_rounding():
    affine = np.diag([*np.float64(np.float32([1 / 1.1, 1.1, 0.9999999])), 1.0])
    mask = np.ones((20, 10, 10), bool)
    (lesion,) = find_lesions(mask, Grid(mask.shape, affine))
    assert lesion.mm3 < 2000
    assert not lesion.is_small


def test_probability_is_that_of_the_region_within_the_lesion(synthetic):
    classes, grid = synthetic
    probabilities = np.zeros((4, *classes.shape), np.float32)
    probabilities[TissueClass.ET, 1, 2, 3] = 0.75
    probabilities[TissueClass.NCR, 1, 2, 3] = 0.125
    probabilities[TissueClass.ET, 4:6, 4:7, 8] = np.linspace(0.5, 1, 6).reshape(2, 3)
    one, six, _ = find_lesions(classes, grid, probabilities=probabilities)
    assert (one.mean_probability, one.max_probability) == (0.75, 0.75)
    assert (six.mean_probability, six.max_probability) == (pytest.approx(0.75), 1)
    core = find_lesions(classes, grid, region="tc", probabilities=probabilities)
    assert core[0].mean_probability == 0.875


def test_probability_is_at_most_one(synthetic):
    classes, grid = synthetic
    probabilities = np.full((4, *classes.shape), 0.5001, np.float32)
    one = find_lesions(classes, grid, region="tc", probabilities=probabilities)[0]
    assert (one.mean_probability, one.max_probability) == (1, 1)


def test_grid_and_probabilities_of_a_segmentation_are_used(synthetic):
    classes, _ = synthetic
    grid = Grid(classes.shape, np.diag([-1.0, -1.0, 1.0, 1.0]))
    values = np.zeros((4, *classes.shape), np.float32)
    values[TissueClass.ET] = 0.625
    cropped = CroppedProbabilities(Probabilities(values), (0, 0, 0), network_grid_of(grid))
    drawn = find_lesions(Segmentation("synthetic", classes, grid))
    segmented = find_lesions(Segmentation("synthetic", classes, grid, cropped=cropped))
    assert drawn == find_lesions(classes, grid)
    assert [x.mean_probability for x in segmented] == [0.625] * 3
    other = find_lesions(
        Segmentation("synthetic", classes, grid, cropped=cropped), probabilities=values / 2
    )
    assert [x.mean_probability for x in other] == [0.3125] * 3


def test_an_array_without_its_grid_is_refused(synthetic):
    with pytest.raises(TypeError, match=r"^find_lesions needs the grid that the array lies on$"):
        find_lesions(synthetic[0])


def test_label_image_holds_each_lesions_id(synthetic):
    classes, grid = synthetic
    image = lesion_components(classes == TissueClass.ET, grid).label_image()
    for lesion in find_lesions(classes, grid):
        inside = image[tuple(slice(*span) for span in lesion.bbox)]
        assert (inside == lesion.id).sum() == lesion.voxels


def test_sorting_by_any_column_keeps_every_lesion():
    mask = np.random.default_rng(3).random((12, 13, 14)) > 0.9
    lesions = find_lesions(mask, Grid(mask.shape, SHEARED))
    for column, descending in product(COLUMNS, (False, True)):
        rows = sort_lesions(lesions, column, descending=descending)
        values = [lesion_row(row)[column] for row in rows]
        if None not in values:
            assert values == sorted(values, reverse=descending), column
        assert sorted(row.id for row in rows) == [lesion.id for lesion in lesions], column


def test_an_unknown_column_and_another_grid_are_refused(synthetic):
    with pytest.raises(ValueError, match=r"^no column 'size'; there are id, region, voxels, mm3, "):
        find_lesions(*synthetic, sort_by="size")
    with pytest.raises(GridMismatchError) as refused:
        find_lesions(synthetic[0], Grid((9, 10, 12), SHEARED))
    assert str(refused.value) == (
        "the mask has shape (9, 10, 11) and its grid (9, 10, 12); "
        "give the grid the mask was made on"
    )


def test_lesions_without_a_value_come_last_in_both_directions(synthetic):
    one, six, eight = find_lesions(*synthetic)
    known = [replace(one, mean_probability=0.25), replace(eight, mean_probability=0.75)]
    rising = sort_lesions([six, *known], "mean_probability")
    falling = sort_lesions([six, *known], "mean_probability", descending=True)
    assert [x.mean_probability for x in rising] == [0.25, 0.75, None]
    assert [x.mean_probability for x in falling] == [0.75, 0.25, None]


def test_no_lesions_give_an_empty_table():
    empty = np.zeros((3, 3, 3), np.uint8)
    assert find_lesions(empty, Grid((3, 3, 3), np.eye(4))) == []
    assert csv_text([]) == ",".join(COLUMNS) + "\n"
    assert table_text([]) == "no lesions"


def test_rows_begin_with_the_case_and_the_visit_that_a_folder_states(synthetic, tmp_path):
    lesions = find_lesions(*synthetic)
    write_csv(lesions, tmp_path / "a.csv", case_cells("P7", tmp_path / "visit1" / "P7"))
    header, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert header == ",".join(("case", "visit", *COLUMNS)) and first.startswith("P7,visit1,1,")
    table = csv_text(lesions[:1], of_case=case_cells("P7", None))
    assert table.startswith("case,visit,id,") and "\nP7,,1," in table


def test_csv_reads_back(synthetic, tmp_path):
    lesions = find_lesions(*synthetic)
    write_csv(lesions, tmp_path / "lesions.csv")
    with (tmp_path / "lesions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["voxels"]) for row in rows] == [1, 6, 8]
    assert rows[1]["small"] == "true" and rows[1]["mean_probability"] == ""
    assert float(rows[1]["centroid_r_mm"]) == pytest.approx(lesions[1].centroid_ras_mm[0], abs=1e-4)
    with pytest.raises(OutputError, match="exists"):
        write_csv(lesions, tmp_path / "lesions.csv")
    write_csv([], tmp_path / "lesions.csv", overwrite=True)
    assert (tmp_path / "lesions.csv").read_text().count("\n") == 1


def test_cells_have_seven_digits_and_the_requested_delimiter(synthetic):
    lesion = replace(find_lesions(*synthetic)[1], max_probability=0.123456789)
    row = csv_text([lesion], "\t").splitlines()[1].split("\t")
    assert row[:26] == [
        *("2", "et", "6", "16.2", "0.0162", "4.5", "5", "8", "86.75", "104", "-49"),
        *("4", "6", "4", "7", "8", "9", "5.11664", "", "0.1234568", "true", ""),
        *("", "2", "5", "4"),
    ]


def test_the_terminal_table_is_aligned_and_marks_small_lesions(synthetic):
    probabilities = np.full((4, *synthetic[0].shape), 0.75, np.float32)
    known = find_lesions(*synthetic, threshold=20, probabilities=probabilities)
    text = table_text([*known[:2], replace(known[2], mean_probability=None)], threshold=20)
    assert text.splitlines() == [
        "id  voxels     ml  diameter mm   centre R A S mm  centre i j k  p mean",
        " 1       1  0.003          3.1  89.4 107.6 -62.1   1.0 2.0 3.0    0.75  * small",
        " 2       6  0.016          5.1  86.8 104.0 -49.0   4.5 5.0 8.0    0.75  * small",
        " 3       8  0.022          6.2  84.2 109.4 -68.7   6.5 0.5 0.5       -",
        "3 components of enhancing tumour, 2 small (*, below 20 mm3)",
    ]


def test_the_terminal_table_names_the_region(synthetic):
    text = table_text(find_lesions(*synthetic, region="wt")[:1])
    assert text.endswith("\n1 component of whole tumour, 1 small (*, below 2000 mm3)")
