"""The series of a mask is found by its grid and its record, and is never another patient's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_cases import TIMES, write_series
from dicom_seg_files import (
    SHAPE,
    SPACING,
    classes,
    write_series_and_mask,
)
from smalltumor.data.identity.image_digests import image_digest
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import Action, CaseError
from smalltumor.labels.regions import TissueClass
from smalltumor.scanner.dicom.study_folder import study_of_file
from smalltumor.scanner.dicom_seg import (
    series_on_grid,
    unrecorded_images_warnings,
    write_dicom_seg_of_study,
)
from synthetic import grid_along

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")


def test_of_two_t1ce_on_one_grid_a_seg_refers_to_the_one_that_the_mask_records(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "study" / "4")
    image = series.read()
    others = {  # the last one of equal series is taken as T1CE; T1 lies in place
        "filtered": image.data // 2 + 7,
        "T1": image.data + 30,
    }
    names = {"filtered": "Ax T1 POST filtered", "T1": "Ax T1"}
    for number, (name, data) in enumerate(others.items(), start=5):
        folder = tmp_path / "study" / name
        write_series(folder, data, grid_along("LPS", SHAPE, SPACING), names[name], number=number)
    made_of = {
        "t1ce": image_digest(image.data, image.grid),
        "t1": image_digest(others["T1"], image.grid),
    }
    output = tmp_path / "seg.dcm"
    for recorded, title in ((made_of, "4 Ax T1 POST"), ({}, "5 Ax T1 POST filtered")):
        mask = replace(segmentation, made_of=recorded)
        found = write_dicom_seg_of_study(mask, tmp_path / "study", output, overwrite=True).series
        assert found.title == title
        (referenced,) = pydicom.dcmread(output).ReferencedSeriesSequence
        assert referenced.SeriesInstanceUID == found.uid


def test_a_mask_that_records_no_images_is_doubted(tmp_path):
    _, segmentation = write_series_and_mask(tmp_path, patient="A")
    found = series_on_grid(tmp_path, segmentation.grid)
    (warning,) = unrecorded_images_warnings(segmentation, found)
    assert warning.startswith("case does not record its images, so only its grid tells that it is")
    assert "patient A, 2024-01-02; check that it is of this patient" in warning
    recorded = replace(segmentation, made_of={"t1ce": "0" * 64})
    assert unrecorded_images_warnings(recorded, found) == []


def test_flair_on_another_grid_tells_that_such_a_mask_is_mirrored(tmp_path):
    fine, coarse = (
        grid_along("LPS", (48,) * 3, (1.0,) * 3),
        grid_along("LPS", (24,) * 3, (2.0,) * 3),
    )
    distance = np.linalg.norm(np.stack(np.indices(fine.shape)) - 23.5, axis=0)
    head = np.random.default_rng(0).integers(90, 110, fine.shape) * (distance < 22)
    mask = np.zeros(fine.shape, np.uint8)
    mask[8:18, 18:28, 18:28] = TissueClass.ED
    flair = (head + 200 * (mask > 0))[::2, ::2, ::2]
    write_series(tmp_path / "4", head.astype(np.uint16), fine, "Ax T1 POST", number=4)
    flair = flair.astype(np.uint16)
    write_series(tmp_path / "5", flair, coarse, "Ax FLAIR", number=5, times=TIMES["flair"])
    found = series_on_grid(tmp_path, fine)
    volume = found.series.read()
    for classes_read, is_mirrored in ((mask, False), (mask[::-1], True)):
        segmentation = Segmentation("case", np.ascontiguousarray(classes_read), volume.grid)
        warnings = unrecorded_images_warnings(segmentation, found)
        assert ("seems to be mirrored left to right" in " ".join(warnings)) == is_mirrored


def test_the_series_of_a_mask_is_found_by_its_grid(tmp_path):
    study = tmp_path / "study"
    _, segmentation = write_series_and_mask(study / "t1ce", "LPS", 12)
    other = grid_along("LPS", SHAPE, SPACING)
    write_series(study / "t2", classes() * 100, other, "T2", number=7)
    assert series_on_grid(study, segmentation.grid).series.title == "4 Ax T1 POST"
    with pytest.raises(CaseError, match="holds no DICOM series on the grid of the mask"):
        series_on_grid(study, grid_along("LPS", SHAPE, SPACING, 5))
    write_series(study / "t1", classes() * 100, segmentation.grid, "Ax T1", number=3)
    assert series_on_grid(study, segmentation.grid).series.title == "4 Ax T1 POST"  # rather than T1
    write_series(study / "flair", classes() * 100, other, "FLAIR", number=8)
    with pytest.raises(CaseError, match="2 series on the grid of the mask: 7 T2 of") as error:
        series_on_grid(study, other)
    assert error.value.remedy.action is Action.CHOOSE_SERIES


def test_a_mask_is_never_filed_under_another_patient(tmp_path):
    series, segmentation = write_series_and_mask(
        tmp_path / "both" / "A", patient="A", study="1.2.10"
    )
    write_series_and_mask(tmp_path / "both" / "B", patient="B", study="1.2.20")
    # A finer T1CE of the patient, so that the series of the mask is not the one that is preferred.
    fine = grid_along("LPS", (48, 40, 24), tuple(s / 2 for s in SPACING))
    data = np.random.default_rng(0).integers(0, 900, fine.shape).astype(np.uint16)
    same = {"patient": "A", "study": "1.2.10", "number": 5}
    write_series(tmp_path / "both" / "A2", data, fine, "Ax T1 POST", **same)
    study, output = tmp_path / "both", tmp_path / "seg.dcm"
    with pytest.raises(CaseError, match=r"of patient A, 2024-01-02; .* of patient B") as error:
        write_dicom_seg_of_study(segmentation, study, output)
    assert error.value.remedy.action is Action.CHOOSE_SERIES
    with pytest.raises(CaseError, match="does not hold the series that the case was prepared from"):
        write_dicom_seg_of_study(segmentation, study / "B", output, series_uid=series.uid)
    assert not output.exists()
    write_dicom_seg_of_study(segmentation, study, output, series_uid=series.uid)
    assert pydicom.dcmread(output).PatientID == "A"


def test_a_mask_that_records_another_patients_images_is_refused(tmp_path, smalltumor):
    series, segmentation = write_series_and_mask(tmp_path / "A", patient="A", study="1.2.10")
    other = np.random.default_rng(1).integers(1, 900, SHAPE).astype(np.uint16)
    tags = {"patient": "B", "study": "1.2.20", "number": 4}
    write_series(tmp_path / "B", other, segmentation.grid, "Ax T1 POST", **tags)
    image = series.read()
    own = {"t1ce": image_digest(image.data, image.grid)}
    mask, output = tmp_path / "mask.nii.gz", tmp_path / "seg.dcm"
    write_segmentation(replace(segmentation, made_of=own), mask)
    options = ("dicom-seg", mask, tmp_path / "B", "--labels", "brats2018", "-o", output)
    code, _, err = smalltumor(*options)
    assert code == 1 and not output.exists()
    assert "was made of other images than 4 Ax T1 POST of patient B, 2024-01-02 in " in err
    assert "name the study of the mask, or pass --other-images" in err
    assert smalltumor(*options, "--other-images")[0] == 0
    assert pydicom.dcmread(output).PatientID == "B"
    code, _, err = smalltumor(*options[:2], tmp_path / "A", *options[3:], "--overwrite")
    assert (code, err) == (0, "") and pydicom.dcmread(output).PatientID == "A"
    of_case = {"t1ce": image_digest(other, segmentation.grid), "flair": own["t1ce"]}
    write_segmentation(replace(segmentation, made_of=of_case), mask, overwrite=True)
    code, _, err = smalltumor(*options[:2], tmp_path / "A", *options[3:], "--overwrite")
    assert (code, err) == (0, "")  # the series is the FLAIR of the case


def test_the_file_of_a_study_means_its_patient_also_where_two_have_one_study_uid(tmp_path):
    _, of_b = write_series_and_mask(tmp_path / "B", patient="B", study="1.2")
    other = grid_along("LPS", SHAPE, SPACING, 5)
    write_series(
        tmp_path / "A", classes() * 100, other, "FLAIR", patient="A", study="1.2", number=8
    )
    output = tmp_path / "seg.dcm"
    for patient in "AB":
        file = study_of_file(next((tmp_path / patient).iterdir()))
        assert file.patient == patient
        if patient == "A":
            with pytest.raises(CaseError, match="holds no DICOM series on the grid of the mask"):
                write_dicom_seg_of_study(of_b, tmp_path, output, of_file=file)
    found = write_dicom_seg_of_study(of_b, tmp_path, output, of_file=file)
    assert found.study.patient == pydicom.dcmread(output).PatientID == "B"
