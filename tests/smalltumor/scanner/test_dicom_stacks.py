"""Slices of DICOM series: evenly spaced within rounding, complete, and at right angles."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_cases import SHAPE, noise, pydicom, write_enhanced, write_series
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

FINE = (24, 20, 150)


def only_series(folder):
    (study,) = find_studies(folder).studies
    (series,) = study.series
    return series


def move(folder, by):
    """Change the positions of slices: a function of position and number in the order of slices."""
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        position = np.array(image.ImagePositionPatient, float)
        image.ImagePositionPatient = [float(x) for x in by(position, image)]
        image.save_as(path)


def rounded(decimals):
    return lambda position, _: position.round(decimals)


@pytest.mark.parametrize("distance", [1.2, 0.9, 0.5])
def test_positions_of_one_decimal_are_an_oblique_stack_within_rounding(tmp_path, distance):
    grid = grid_along("LPS", FINE, (1, 1, distance), degrees=17)
    write_series(tmp_path, noise(shape=FINE), grid, "T1")
    move(tmp_path, rounded(1))
    series = only_series(tmp_path)
    assert series.problem == "" and series.spacing[2] == pytest.approx(distance, abs=0.11)
    found = series.read().grid
    # The order of slices may be the reverse one.
    ends = [sorted(map(tuple, g.to_patient([(0, 0, 0), (0, 0, 149)]))) for g in (grid, found)]
    np.testing.assert_allclose(ends[0], ends[1], atol=0.1)


@pytest.mark.parametrize("decimals", [0, 1])
def test_slices_that_are_displaced_by_more_than_rounding_are_no_stack(tmp_path, decimals):
    grid = grid_along("LPS", FINE, (1, 1, 1.2), degrees=17)
    write_series(tmp_path, noise(shape=FINE), grid, "T1")
    moved = 0.6 * (decimals > 0)
    move(
        tmp_path,
        lambda position, image: (position + moved * (image.InstanceNumber > 70)).round(decimals),
    )
    assert "slices are" in only_series(tmp_path).problem


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "slices of 5 mm that are 10 mm apart"),
        (
            {"SpacingBetweenSlices": 5.5},
            "slices 10 mm apart instead of the 5.5 mm that its header states",
        ),
        ({"SpacingBetweenSlices": 10.0}, ""),
        ({"SpacingBetweenSlices": -10.0}, ""),
        ({"SliceThickness": 8.0}, ""),
        ({"SliceThickness": None}, ""),
        (
            {"SliceThickness": None, "SpacingBetweenSlices": 5.0},
            "slices 10 mm apart instead of the 5 mm that its header states",
        ),
    ],
)
def test_a_series_with_every_other_slice_alone_is_said(tmp_path, stated, expected):
    tags = {"SliceThickness": 5.0} | stated
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE, (5, 6, 10)), "T1 KM", **tags)
    series = only_series(tmp_path)
    assert (series.incomplete, series.problem) == (expected, "")
    found = assign([series])
    assert [expected in warning for warning in found.warnings] == ([True] if expected else [])


def test_every_other_frame_of_an_enhanced_file_is_said(tmp_path):
    path = write_enhanced(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 8)), "FLAIR")
    assert not only_series(tmp_path).incomplete
    image = pydicom.dcmread(path)
    for frame in image.PerFrameFunctionalGroupsSequence:
        frame.PixelMeasuresSequence[0].SliceThickness = 4
    image.save_as(path)
    assert only_series(tmp_path).incomplete == "slices of 4 mm that are 8 mm apart"


def test_slices_of_a_tilted_gantry_are_no_sequence_and_the_series_is_named(tmp_path):
    write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE, (5, 6, 12)), "T1 KM", number=5)

    def tilt(position, image):
        return position + np.array([0, 1.0 * image.InstanceNumber, 0])

    move(tmp_path / "1", tilt)
    found = assign(find_studies(tmp_path).studies[0].series)
    assert "t1ce" not in found.chosen
    problem = "T1CE cannot be used: 5 T1 KM (its axes are at 85.2 degrees and not at right angles"
    assert found.undecided[0].startswith(problem)
    write_series(tmp_path / "2", noise(1), grid_along("LPS", SHAPE, (5, 6, 12)), "T1 KM", number=6)
    found = assign(find_studies(tmp_path).studies[0].series)
    assert found.chosen["t1ce"].title == "6 T1 KM"
