"""Titles of DICOM series: what tells apart those that are called the same."""

from __future__ import annotations

import pytest
from dicom_cases import SHAPE, noise, write_series
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

GRID = grid_along("LPS", SHAPE)


def titles(folder):
    (study,) = find_studies(folder).studies
    return [series.title for series in study.series]


def test_images_of_one_dixon_series_are_told_apart_by_their_type(tmp_path):
    for kind in ("IP", "OP", "W", "F"):
        image_type = ["DERIVED", "PRIMARY", kind, kind, "FFE"]
        write_series(
            tmp_path, noise(), GRID, "T1 mDIXON KM", number=10, suffix=kind, ImageType=image_type
        )
    assert sorted(titles(tmp_path)) == [
        *("10 T1 mDIXON KM (F)", "10 T1 mDIXON KM (IP)"),
        *("10 T1 mDIXON KM (OP)", "10 T1 mDIXON KM (W)"),
    ]
    reasons = assign(find_studies(tmp_path).studies[0].series).reasons
    assert reasons["t1ce"].endswith("preferred to 10 T1 mDIXON KM (W): listed first")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            {"times": (4000.0, 12.0, None)},
            {"times": (4000.0, 95.0, None)},
            ["TE 12 ms", "TE 95 ms"],
        ),
        ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, ["acquisition 1", "acquisition 2"]),
        (
            {"AcquisitionDateTime": "20240102100000.0"},
            {"SeriesInstanceUID": "1.2.7", "AcquisitionDateTime": "20240102101530.0"},
            ["at 10:00:00", "at 10:15:30"],
        ),
        ({"study": "1.2.3"}, {"study": "1.2.4"}, ["", ""]),
    ],
)
def test_series_that_are_called_the_same_get_what_they_differ_in(tmp_path, one, other, expected):
    write_series(tmp_path, noise(1), GRID, "T1", suffix="a", **one)
    write_series(tmp_path, noise(2), GRID, "T1", suffix="b", **other)
    found = [s.title for study in find_studies(tmp_path).studies for s in study.series]
    assert found == [f"1 T1 ({part})" if part else "1 T1" for part in expected]


def test_echoes_in_two_planes_need_both(tmp_path):
    for echo in (12.0, 95.0):
        for axes in ("LPS", "PSR"):
            grid = grid_along(axes, SHAPE)
            write_series(
                tmp_path, noise(), grid, "T2", times=(4000.0, echo, None), suffix=f"{echo}{axes}"
            )
    assert sorted(titles(tmp_path)) == [
        *("1 T2 (TE 12 ms, axial)", "1 T2 (TE 12 ms, sagittal)"),
        *("1 T2 (TE 95 ms, axial)", "1 T2 (TE 95 ms, sagittal)"),
    ]
