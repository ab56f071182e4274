"""DICOM SEG: written for series on any grid, and read back by highdicom and by pydicom alone."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from dicom_seg_files import (
    RUN,
    SHAPE,
    SPACING,
    centres,
    classes,
    ordered,
    points_by_pydicom,
    write_series_and_mask,
)
from smalltumor import extras
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import Action, CaseError, GridMismatchError, OutputError
from smalltumor.extras import MissingPackageError
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from smalltumor.scanner.dicom_seg import (
    write_dicom_seg,
)
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

pydicom = pytest.importorskip("pydicom")
hd = pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")

# Axes of the images, rotation in degrees, and whether slices are numbered the other way round.
SERIES = [("LPS", 0, False), ("LPI", 0, False), ("LPS", 12, False), ("PSR", 7, False)]
SERIES += [("LSP", 0, True), ("LPS", 12, True)]


@pytest.mark.parametrize(("axes", "degrees", "reverse"), SERIES)
def test_each_segment_lies_where_the_mask_does(tmp_path, axes, degrees, reverse):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", axes, degrees, reverse)
    path = write_dicom_seg(segmentation, series.files[::-1], tmp_path / "seg.dcm")
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        found = points_by_pydicom(path, int(tissue))
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_highdicom_reads_the_volume_with_its_affine(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", "LPI", 12)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    volume = hd.seg.segread(path).get_volume(combine_segments=True)
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        at = np.argwhere(volume.array == int(tissue))
        found = volume.map_indices_to_reference(at)
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(ordered(found), expected, atol=0.02)
    assert volume.spacing == pytest.approx((5.0, 1.1, 0.9))


def test_a_series_with_positions_of_one_decimal_gets_a_seg(tmp_path):
    """Slices lie up to 0.17 mm beside the line of the first and the last."""
    folder = tmp_path / "t1ce"
    write_series_and_mask(folder, degrees=12)
    for number, path in enumerate(sorted(folder.iterdir())):
        image = pydicom.dcmread(path)
        shift = (0.05, -0.05, 0.05) if number % 2 else (-0.05, 0.05, -0.05)
        position = np.array(image.ImagePositionPatient, float) + shift
        image.ImagePositionPatient = [float(x) for x in position.round(1)]
        image.save_as(path)
    series = find_studies(folder).studies[0].series[0]
    segmentation = Segmentation("case", classes(), series.read().grid, run=RUN)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    found = points_by_pydicom(path, int(TissueClass.ET))
    np.testing.assert_allclose(found, centres(classes() == TissueClass.ET, segmentation), atol=0.2)


def test_patient_study_and_frame_of_reference_are_those_of_the_series(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    seg = pydicom.dcmread(write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm"))
    image = pydicom.dcmread(series.files[0])
    for keyword in (
        *("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "StudyDate"),
        "FrameOfReferenceUID",
    ):
        assert seg[keyword].value == image[keyword].value
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    assert (seg.Modality, seg.SeriesNumber) == ("SEG", 1004)


def test_segments_are_coded_and_name_the_algorithm(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    seg = pydicom.dcmread(write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm"))
    found = []
    for item in seg.SegmentSequence:
        (code,) = item.SegmentedPropertyTypeCodeSequence
        found.append((item.SegmentNumber, code.CodingSchemeDesignator, code.CodeValue))
        assert item.SegmentAlgorithmType == "AUTOMATIC"
        (algorithm,) = item.SegmentationAlgorithmIdentificationSequence
        assert (algorithm.AlgorithmName, algorithm.AlgorithmParameters) == (
            "smalltumor",
            "weights=starter",
        )
    assert found == [(1, "SCT", "6574001"), (2, "SCT", "79654002"), (3, "NCIt", "C113842")]


def test_a_segmentation_without_a_sequence_says_so(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    run = replace(RUN, findings=(Finding(FindingKind.MISSING, modalities=("t1", "t2")),))
    path = tmp_path / "seg.dcm"
    write_dicom_seg(replace(segmentation, run=run, made_by=None), series.files, path)
    segment = pydicom.dcmread(path).SegmentSequence[0]
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert "segmented without=T1 and T2" in algorithm.AlgorithmParameters


def test_what_was_drawn_is_not_called_automatic(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    drawn = Segmentation("case", segmentation.classes, segmentation.grid)
    for made_by, expected in ((None, "SEMIAUTOMATIC"), (MadeBy("MANUAL"), "MANUAL")):
        path = tmp_path / f"{expected}.dcm"
        write_dicom_seg(replace(drawn, made_by=made_by), series.files, path)
        assert {x.SegmentAlgorithmType for x in pydicom.dcmread(path).SegmentSequence} == {expected}


def test_an_empty_mask_is_written(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    empty = Segmentation("case", np.zeros(SHAPE, np.uint8), segmentation.grid, run=RUN)
    path = write_dicom_seg(empty, series.files, tmp_path / "seg.dcm")
    assert not hd.seg.segread(path).get_volume(combine_segments=True).array.any()


def test_slices_with_gaps_keep_their_thickness_and_distance(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", SliceThickness=4.0)
    seg = pydicom.dcmread(write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm"))
    (measures,) = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert (float(measures.SliceThickness), float(measures.SpacingBetweenSlices)) == (4, 5)


def test_deidentified_files_may_lack_what_may_be_empty(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    for path in series.files:
        image = pydicom.dcmread(path)
        del image.PatientName, image.PatientBirthDate, image.StudyDate
        image.save_as(path)
    seg = pydicom.dcmread(write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm"))
    assert not seg.PatientName and not seg.StudyDate


def test_values_that_dicom_does_not_allow_cause_no_warning(tmp_path, recwarn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags = {
            "SOPInstanceUID": "1.2.abc",
            "StudyInstanceUID": "1.02.3",
            "PatientBirthDate": "1970",
        }
        series, segmentation = write_series_and_mask(tmp_path / "t1ce")
        for number, path in enumerate(series.files):
            image = pydicom.dcmread(path)
            for keyword, value in (tags | {"SOPInstanceUID": f"1.2.abc.{number}"}).items():
                setattr(image, keyword, value)
            image.save_as(path)
    warnings.simplefilter("always")
    (study,) = find_studies(tmp_path / "t1ce").studies
    study.series[0].read()
    write_dicom_seg(segmentation, study.series[0].files, tmp_path / "seg.dcm")
    assert [str(warning.message) for warning in recwarn] == []


def test_another_grid_is_refused(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", "LPS")
    other = grid_along("LPS", SHAPE, SPACING, 3)
    turned = Segmentation("case", classes(), other, run=RUN)
    shorter = Segmentation("case", classes()[..., 1:], grid_along("LPS", (24, 20, 11), SPACING))
    for wrong in (turned, shorter):
        with pytest.raises(GridMismatchError, match="does not lie on the grid of the series"):
            write_dicom_seg(wrong, series.files, tmp_path / "seg.dcm")
    with pytest.raises(GridMismatchError):  # a slice is not named
        write_dicom_seg(segmentation, series.files[1:], tmp_path / "seg.dcm")
    assert not (tmp_path / "seg.dcm").exists()


def test_sources_and_other_files_are_never_replaced(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", suffix=".dcm")
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in series.files}
    with pytest.raises(OutputError, match="is one of the case's files"):
        write_dicom_seg(segmentation, series.files, series.files[3], overwrite=True)
    image = tmp_path / "other.dcm"
    image.write_bytes(series.files[0].read_bytes())
    with pytest.raises(OutputError, match="is not a DICOM segmentation and is not replaced"):
        write_dicom_seg(segmentation, series.files, image, overwrite=True)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    with pytest.raises(OutputError, match="exists"):
        write_dicom_seg(segmentation, series.files, path)
    write_dicom_seg(segmentation, series.files, path, overwrite=True)
    assert before == {p: hashlib.sha256(p.read_bytes()).digest() for p in series.files}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.dcm", "seg.dcm", "t1ce"]


def test_what_cannot_be_referred_to_is_refused(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", FrameOfReferenceUID="")
    with pytest.raises(CaseError, match="has no Frame of Reference UID"):
        write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    nifti = tmp_path / "t1ce.nii.gz"
    nifti.write_bytes(b"no DICOM")
    for files in ([nifti], []):
        with pytest.raises(CaseError, match="refers to"):
            write_dicom_seg(segmentation, files, tmp_path / "seg.dcm")
    with pytest.raises(OutputError, match=r"ends in \.dcm"):
        write_dicom_seg(segmentation, series.files, tmp_path / "seg.nii.gz")


def test_without_highdicom_the_extra_is_named(tmp_path, monkeypatch):

    def absent(name):
        raise ImportError(name)

    series, segmentation = write_series_and_mask(tmp_path / "t1ce")
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingPackageError, match="the package highdicom") as refused:
        write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    assert refused.value.remedy.action is Action.INSTALL_RAW


def test_the_dicom_seg_of_a_label_file_says_what_its_network_did_not_see(tmp_path, smalltumor):
    _, segmentation = write_series_and_mask(tmp_path / "study")
    run = replace(RUN, findings=(Finding(FindingKind.MISSING, modalities=("t1",)),))
    mask, path = tmp_path / "mask.nii.gz", tmp_path / "seg.dcm"
    write_segmentation(replace(segmentation, run=run, made_by=None), mask)
    assert smalltumor("dicom-seg", mask, tmp_path / "study", "-o", path)[0] == 0
    segment = pydicom.dcmread(path).SegmentSequence[0]
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert "segmented without=T1" in algorithm.AlgorithmParameters


@pytest.mark.parametrize("change", ["as it is", "to RAS", "cropped"])
def test_a_corrected_label_file_becomes_a_dicom_seg(tmp_path, smalltumor, change):
    _, segmentation = write_series_and_mask(tmp_path / "study", "LPI", 7)
    image = nib.Nifti1Image(SCHEMES["brats2018"].encode(classes()), segmentation.grid.affine)
    if change == "to RAS":
        image = nib.as_closest_canonical(image)
    if change == "cropped":
        image = image.slicer[1:18, 2:19, 1:11]
    nib.save(image, tmp_path / "mask.nii.gz")
    options = ("dicom-seg", tmp_path / "mask.nii.gz", tmp_path / "study")
    options += ("--labels", "brats2018", "-o")
    code, out, err = smalltumor(*options, tmp_path / "seg.dcm")
    assert code == 0 and "mask.nii.gz does not record its images" in err
    assert "refers to 4 Ax T1 POST of patient P1, 2024-01-02: 24 x 20 x 12 voxels" in out
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        found = points_by_pydicom(tmp_path / "seg.dcm", int(tissue))
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(found, expected, atol=0.02)
    code, _, err = smalltumor(*options, tmp_path / "seg.dcm")
    assert code == 1
    assert "exists; choose another output, or pass --overwrite" in err
