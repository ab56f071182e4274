"""Which T1 shows the contrast agent, by the order of series, and what is said in doubt."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import TIMES, noise, pydicom, write_enhanced, write_series
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

SHAPE = (40, 40, 10)
COARSE, FINE = grid_along("LPS", SHAPE, (5, 5, 12)), grid_along("LPS", SHAPE, (5, 5, 11))


def write_t1(folder, number, name, grid=COARSE, **tags):
    return write_series(
        folder / f"{number}", noise(number, SHAPE), grid, name, number=number, **tags
    )


def with_values(folder, **values):
    """Set tags of the files in a folder; None removes one."""
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        for keyword, value in values.items():
            if value is None:
                delattr(image, keyword)
            else:
                setattr(image, keyword, value)
        image.save_as(path)


def assigned(folder):
    (study,) = find_studies(folder).studies
    return assign(study.series)


def titles(assignment):
    return {modality: series.title for modality, series in assignment.chosen.items()}


@pytest.mark.parametrize("event", ["Series", "Content"])
def test_without_times_of_acquisition_those_of_the_series_tell_the_order(tmp_path, event):
    for number, name in enumerate(("T1", "T1 KM", "T1"), start=1):
        folder = write_t1(tmp_path, number, name, FINE if number == 3 else COARSE)
        with_values(folder, AcquisitionTime=None, **{f"{event}Time": f"10{number}000"})
    found = assigned(tmp_path)
    assert titles(found) == {"t1": "1 T1", "t1ce": "3 T1"}
    assert not found.warnings


def test_the_time_at_which_an_image_was_derived_tells_nothing_of_the_agent(tmp_path):
    write_t1(tmp_path, 1, "T1 KM")
    derived = ["DERIVED", "SECONDARY"]
    folder = write_t1(tmp_path, 2, "T1", ImageType=derived)
    with_values(folder, AcquisitionTime=None, SeriesTime="110000", ContentTime="110000")
    assert titles(assigned(tmp_path)) == {"t1": "2 T1", "t1ce": "1 T1 KM"}


def test_a_date_that_only_one_series_has_makes_it_no_later_one(tmp_path):
    write_t1(tmp_path, 1, "T1", AcquisitionDate="20240102")
    with_values(write_t1(tmp_path, 2, "T1 KM"), StudyDate="")
    found = assigned(tmp_path)
    assert titles(found) == {"t1": "1 T1", "t1ce": "2 T1 KM"}


def test_the_times_of_frames_tell_the_order_of_enhanced_files(tmp_path):
    for number, name in enumerate(("T1", "T1 KM", "T1"), start=1):
        path = write_enhanced(tmp_path / f"{number}", noise(number, SHAPE), COARSE, name)
        image = pydicom.dcmread(path)
        image.SeriesInstanceUID, image.SeriesNumber = f"1.2.{number}", number
        image.SOPInstanceUID = f"1.3.{number}"
        image.SharedFunctionalGroupsSequence = []
        del image.AcquisitionTime
        content = pydicom.Dataset()
        content.FrameAcquisitionDateTime = f"2024010210{number}000"
        for frame in image.PerFrameFunctionalGroupsSequence:
            frame.FrameContentSequence = [content]
        image.save_as(path)
    found = assigned(tmp_path)
    assert titles(found) == {"t1": "1 T1", "t1ce": "2 T1 KM"}
    assert "acquired after a series with contrast agent" in found.described()[2].reason


def test_the_times_of_converted_files_tell_the_order(tmp_path):
    for number, name in enumerate(("mprage_2", "t1_se_KM_4", "mprage_5"), start=1):
        spacing = [5, 5, 12 if "KM" in name else 11, 1]
        nib.save(
            nib.Nifti1Image(noise(number, SHAPE), np.diag(spacing)), tmp_path / f"{name}.nii.gz"
        )
        record = {"AcquisitionTime": f"10:{number}0:00.000000"}
        (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8-sig")
    found = titles(assigned(tmp_path))
    assert found == {"t1": "mprage_2.nii.gz", "t1ce": "mprage_5.nii.gz"}


def test_of_several_t1_without_times_it_is_said_that_one_may_show_the_agent(tmp_path, smalltumor):
    for number, name in enumerate(("T1", "T1 KM", "T1 cor"), start=1):
        with_values(write_t1(tmp_path, number, name), AcquisitionTime=None)
    found = assigned(tmp_path)
    (warning,) = found.warnings
    assert warning.startswith("T1: neither name nor time tells that")
    assert "other T1: " in warning
    _, out, _ = smalltumor("prepare", tmp_path, "--list")
    assert warning in out
    (study,) = find_studies(tmp_path).studies
    assert not assign(study.series, {"t1": study.series[0]}).warnings


def test_one_t1_or_a_name_that_tells_makes_no_doubt(tmp_path):
    with_values(write_t1(tmp_path, 1, "T1 nativ"), AcquisitionTime=None)
    with_values(write_t1(tmp_path, 2, "T1 KM"), AcquisitionTime=None)
    assert not assigned(tmp_path).warnings
    with_values(write_t1(tmp_path, 3, "T1 nativ cor"), AcquisitionTime=None)
    assert not assigned(tmp_path).warnings


def test_an_agent_that_the_headers_name_in_each_t1_is_said(tmp_path):
    for number in (1, 2):
        write_t1(tmp_path, number, "t1_mprage", ContrastBolusAgent="Gadovist")
    tags = {"number": 3, "times": TIMES["t2"], "ContrastBolusAgent": "Gadovist"}
    write_series(tmp_path / "3", noise(3, SHAPE), COARSE, "t2", **tags)
    found = assigned(tmp_path)
    assert "no series is T1; with contrast agent are 1 t1_mprage, 2 t1_mprage" in found.undecided
    (warning,) = found.warnings
    assert "the headers name a contrast agent in each of 1 t1_mprage, 2 t1_mprage" in warning


def test_an_enhanced_file_may_say_that_the_agent_was_not_given_yet(tmp_path):
    for number, given in enumerate(("NO", "YES"), start=1):
        path = write_enhanced(tmp_path / f"{number}", noise(number, SHAPE), COARSE, "T1")
        image = pydicom.dcmread(path)
        image.SeriesInstanceUID, image.SeriesNumber = f"1.2.{number}", number
        image.SOPInstanceUID = f"1.3.{number}"
        image.SharedFunctionalGroupsSequence = []
        agent, usage = pydicom.Dataset(), pydicom.Dataset()
        agent.CodeMeaning, usage.ContrastBolusAgentAdministered = "Gadolinium", given
        image.ContrastBolusAgentSequence = [agent]
        for frame in image.PerFrameFunctionalGroupsSequence:
            frame.ContrastBolusUsageSequence = [usage]
        image.save_as(path)
    found = assigned(tmp_path)
    assert titles(found) == {"t1": "1 T1", "t1ce": "2 T1"}
    assert "the header names Gadolinium" in found.reasons["t1ce"]
