"""Series whose slices have different headers, so that a part of them is a volume."""

from __future__ import annotations

import pytest
from dicom_cases import noise, pydicom, write_series
from smalltumor.scanner.selection import assign
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


def test_echoes_and_planes_of_a_series_are_whole_volumes(tmp_path):
    write_series(tmp_path / "1", noise(0, SHAPE), GRID, "Ax T2")
    write_series(tmp_path / "2", noise(1, SHAPE), GRID, "Ax T2", EchoTime=95.0)
    write_series(tmp_path / "3", noise(2, SHAPE), grid_along("PSL", SHAPE, (5, 5, 5)), "Ax T2")
    (study,) = find_studies(tmp_path).studies
    assert [(s.shape, s.incomplete, s.problem) for s in study.series] == [(SHAPE, "", "")] * 3
