"""Series whose slices have different headers, so that a part of them is a volume."""

from __future__ import annotations

import pytest
from dicom_cases import noise, pydicom, write_series
from smalltumor.geometry.grid import Grid
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (40, 40, 30)
GRID = grid_along("LPS", SHAPE, (5, 5, 5))


def write_with_other_slices(folder, first, **values):
    """Write a series whose slices, from one number on, have other values in their headers."""
    write_series(folder, noise(0, SHAPE), GRID, "Ax T1 +C")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        if image.InstanceNumber >= first:
            for keyword, value in values.items():
                setattr(image, keyword, value)
            image.save_as(path)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"EchoTime": None}, "echo time"),
        ({"PixelSpacing": [5.01, 5.01]}, "pixel size"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, "image type"),
        ({"ImageOrientationPatient": [0.9998, 0.0199, 0, -0.0199, 0.9998, 0]}, "orientation"),
    ],
)
def test_a_part_of_a_stack_is_said_to_be_one(tmp_path, values, what):
    write_with_other_slices(tmp_path, 22, **values)
    found = assign(find_studies(tmp_path).studies[0].series)
    text = f"21 of 30 slices of its series, as the others have another {what}"
    assert found.chosen["t1ce"].shape[2] == 21
    (warning,) = found.warnings
    assert text in warning
    assert next(d for d in found.described() if d.modality).reason.endswith(text)


def test_a_part_that_makes_no_volume_says_what_the_others_have(tmp_path):
    write_with_other_slices(tmp_path, 30, PixelSpacing=[5.01, 5.01])
    (study,) = find_studies(tmp_path).studies
    assert [s.shape[2] for s in study.series] == [29, 1]
    assert study.series[1].problem == (
        "it has only 1 slice; 1 of 30 slices of its series, as the others have another pixel size"
    )


def test_every_other_slice_is_a_part_too(tmp_path):
    write_series(tmp_path, noise(0, SHAPE), GRID, "Ax T1 +C", SliceThickness=None)
    for path in tmp_path.iterdir():
        image = pydicom.dcmread(path)
        if image.InstanceNumber % 2:
            image.EchoTime = 12.0
            image.save_as(path)
    found = assign(find_studies(tmp_path).studies[0].series)
    assert "15 of 30 slices of its series" in found.warnings[0]


def write_in_parts(folder, part_of_slice, seed=0, **values):
    """Write a series whose echo time depends on the part that a slice is in."""
    write_series(folder, noise(seed, SHAPE), GRID, "Ax T1 +C", SliceThickness=None, **values)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.EchoTime = 9.0 + 2 * part_of_slice(image.InstanceNumber - 1)
        image.save_as(path)


@pytest.mark.parametrize(
    ("part_of_slice", "counts"),
    [
        (lambda k: k % 3, {10}),
        (lambda k: k // 10, {10}),
        (lambda k: k // 12, {12, 6}),
        (lambda k: k * 7919 % 1009 % 4, {7, 9}),
        (lambda k: k, {1}),
    ],
    ids=["every third slice", "blocks", "uneven blocks", "in disorder", "single slices"],
)
def test_each_of_several_parts_of_a_stack_is_said_to_be_one(tmp_path, part_of_slice, counts):
    write_in_parts(tmp_path, part_of_slice)
    (study,) = find_studies(tmp_path).studies
    assert {series.shape[2] for series in study.series} == counts
    for series in study.series:
        assert series.incomplete == (
            f"{series.shape[2]} of 30 slices of its series, as the others have another echo time"
        )
        assert series.missing_share == pytest.approx(1 - series.shape[2] / 30)


def test_parts_of_each_of_two_image_types_are_counted_once(tmp_path):
    for seed, kind in enumerate("MP"):
        image_type = ["ORIGINAL", "PRIMARY", kind]
        write_in_parts(tmp_path / kind, lambda k: k // 20, seed, ImageType=image_type)
    (study,) = find_studies(tmp_path).studies
    assert sorted(series.incomplete for series in study.series) == [
        f"{count} of 30 slices of its series, as the others have another echo time"
        for count in (10, 10, 20, 20)
    ]


@pytest.mark.parametrize("whole", "123")
def test_parts_beside_a_whole_volume_are_parts(tmp_path, whole):
    write_in_parts(tmp_path / "2", lambda k: k // 18)
    write_series(tmp_path / f"{whole}w", noise(1, SHAPE), GRID, "Ax T1 +C", EchoTime=95.0)
    (study,) = find_studies(tmp_path).studies
    assert {series.shape[2]: series.incomplete for series in study.series} == {
        30: "",
        18: "18 of 30 slices of its series, as the others have another echo time",
        12: "12 of 30 slices of its series, as the others have another echo time",
    }


def test_an_image_beside_the_stack_does_not_hide_its_parts(tmp_path):
    write_in_parts(tmp_path / "1", lambda k: k // 18)
    beside = GRID.affine.copy()
    beside[:3, 3] -= 0.6 * beside[:3, 2]
    image = noise(1, (*SHAPE[:2], 1))
    write_series(tmp_path / "2", image, Grid(image.shape, beside), "Ax T1 +C", EchoTime=95.0)
    (study,) = find_studies(tmp_path).studies
    assert {series.shape[2]: series.incomplete for series in study.series} == {
        18: "18 of 30 slices of its series, as the others have another echo time",
        12: "12 of 30 slices of its series, as the others have another echo time",
        1: "",
    }


def test_acquisitions_at_other_places_are_parts(tmp_path):
    first, last = noise(0, SHAPE)[..., :15], noise(0, SHAPE)[..., 15:]
    below, above = GRID.affine.copy(), GRID.affine.copy()
    above[:3, 3] += 15 * above[:3, 2]
    for number, (data, affine) in enumerate(((first, below), (first, below), (last, above))):
        grid = Grid(data.shape, affine)
        write_series(tmp_path / str(number), data, grid, "Ax T1", AcquisitionNumber=number)
    (study,) = find_studies(tmp_path).studies
    assert [series.incomplete for series in study.series] == [
        "15 of 30 slices of its series, as the others have another acquisition number"
    ] * 3


def test_echoes_and_planes_of_a_series_are_whole_volumes(tmp_path):
    write_series(tmp_path / "1", noise(0, SHAPE), GRID, "Ax T2")
    write_series(tmp_path / "2", noise(1, SHAPE), GRID, "Ax T2", EchoTime=95.0)
    write_series(tmp_path / "3", noise(2, SHAPE), grid_along("PSL", SHAPE, (5, 5, 5)), "Ax T2")
    (study,) = find_studies(tmp_path).studies
    assert [(s.shape, s.incomplete, s.problem) for s in study.series] == [(SHAPE, "", "")] * 3
