"""DICOM SEG: written for series on any grid, and read back by highdicom and by pydicom alone."""

from __future__ import annotations

import hashlib
import warnings
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import write_enhanced, write_series
from smalltumor import extras
from smalltumor.data.identity.image_digests import image_digest
from smalltumor.data.input_checks import Finding, FindingKind
from smalltumor.data.segmentation import InferenceRun, Segmentation, write_segmentation
from smalltumor.errors import Action, CaseError, GridMismatchError, OutputError
from smalltumor.extras import MissingPackageError
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from smalltumor.scanner.dicom_seg import (
    series_on_grid,
    write_dicom_seg,
    write_dicom_seg_of_study,
)
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

pydicom = pytest.importorskip("pydicom")
hd = pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")

SHAPE = (24, 20, 12)
SPACING = (0.9, 1.1, 5.0)
RUN = InferenceRun(seconds=1.0, device="cpu", backend="torch", weights="starter")

# Axes of the images, rotation in degrees, and whether slices are numbered the other way round.
SERIES = [("LPS", 0, False), ("LPI", 0, False), ("LPS", 12, False), ("PSR", 7, False)]
SERIES += [("LSP", 0, True), ("LPS", 12, True)]


def classes() -> np.ndarray:
    """An asymmetric mask: one corner only, another number of voxels in each slice."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:9, 3:6, 2:5] = TissueClass.ED
    labels[3:7, 3:5, 2:4] = TissueClass.NCR
    labels[3:5, 3, 2] = TissueClass.ET
    labels[15, 16, 9] = TissueClass.ET
    return labels


def write(folder: Path, axes: str = "LPS", degrees: float = 0, reverse: bool = False, **tags):
    """A series, and a segmentation on its grid as it is read."""
    grid = grid_along(axes, SHAPE, SPACING, degrees)
    data = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.uint16)
    tags = {"PatientName": "Doe^Jane", "PatientBirthDate": "19700101"} | tags
    write_series(folder, data, grid, "Ax T1 POST", number=4, **tags)
    if reverse:
        for path in folder.iterdir():
            image = pydicom.dcmread(path)
            image.InstanceNumber = SHAPE[2] + 1 - image.InstanceNumber
            image.save_as(path)
    (study,) = find_studies(folder).studies
    (series,) = study.series
    volume = series.read()
    return series, Segmentation("case", classes(), volume.grid, run=RUN)


def centres(mask: np.ndarray, segmentation: Segmentation) -> np.ndarray:
    """Points of the voxels of a mask, (n, 3) in mm, DICOM's axes, sorted."""
    return ordered(segmentation.grid.to_patient(np.argwhere(mask)) * (-1, -1, 1))


def ordered(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.round(2).T)]


def points_by_pydicom(path: Path, number: int) -> np.ndarray:
    """Points of the voxels of a segment, by DICOM's equation C.7.6.2.1-1, frame by frame."""
    seg = pydicom.dcmread(path)
    shared = seg.SharedFunctionalGroupsSequence[0]
    row, column = np.reshape(
        list(map(float, shared.PlaneOrientationSequence[0].ImageOrientationPatient)), (2, 3)
    )
    down, across = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    points = []
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        if frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber != number:
            continue
        first = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        for r, c in np.argwhere(pixels):
            points.append(first + row * across * c + column * down * r)
    return ordered(np.array(points))


@pytest.mark.parametrize(("axes", "degrees", "reverse"), SERIES)
def test_each_segment_lies_where_the_mask_does(tmp_path, axes, degrees, reverse):
    series, segmentation = write(tmp_path / "t1ce", axes, degrees, reverse)
    path = write_dicom_seg(segmentation, series.files[::-1], tmp_path / "seg.dcm")
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        found = points_by_pydicom(path, int(tissue))
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_a_mask_of_an_enhanced_file_lies_where_the_mask_does(tmp_path):
    write_enhanced(
        tmp_path / "t1ce", classes() * 100, grid_along("LPI", SHAPE, SPACING, 7), "T1 GD"
    )
    (study,) = find_studies(tmp_path / "t1ce").studies
    (series,) = study.series
    volume = series.read()
    segmentation = Segmentation("case", (volume.data > 0).astype(np.uint8), volume.grid, run=RUN)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    found = points_by_pydicom(path, int(TissueClass.NCR))
    np.testing.assert_allclose(found, centres(volume.data > 0, segmentation), atol=0.02)
    seg = pydicom.dcmread(path)
    for frame in seg.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        assert source.ReferencedSOPInstanceUID == pydicom.dcmread(series.files[0]).SOPInstanceUID


def test_highdicom_reads_the_volume_with_its_affine(tmp_path):
    series, segmentation = write(tmp_path / "t1ce", "LPI", 12)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    volume = hd.seg.segread(path).get_volume(combine_segments=True)
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        at = np.argwhere(volume.array == int(tissue))
        found = volume.map_indices_to_reference(at)
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(ordered(found), expected, atol=0.02)
    assert volume.spacing == pytest.approx((5.0, 1.1, 0.9))


def test_each_frame_refers_to_the_image_of_its_slice(tmp_path):
    series, segmentation = write(tmp_path / "t1ce", reverse=True)
    path = write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    images = {image.SOPInstanceUID: image for image in map(pydicom.dcmread, series.files)}
    seg = pydicom.dcmread(path)
    for frame in seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        image = images[source.ReferencedSOPInstanceUID]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, image.ImagePositionPatient, atol=1e-6)
    (referenced,) = seg.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == series.uid


def test_a_series_with_positions_of_one_decimal_gets_a_seg(tmp_path):
    """Slices lie up to 0.17 mm beside the line of the first and the last."""
    folder = tmp_path / "t1ce"
    write(folder, degrees=12)
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
    series, segmentation = write(tmp_path / "t1ce")
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
    series, segmentation = write(tmp_path / "t1ce")
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
    series, segmentation = write(tmp_path / "t1ce")
    run = replace(RUN, findings=(Finding(FindingKind.MISSING, modalities=("t1", "t2")),))
    path = tmp_path / "seg.dcm"
    write_dicom_seg(replace(segmentation, run=run), series.files, path)
    segment = pydicom.dcmread(path).SegmentSequence[0]
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert "segmented without=T1 and T2" in algorithm.AlgorithmParameters


def test_what_was_drawn_is_not_called_automatic(tmp_path):
    series, segmentation = write(tmp_path / "t1ce")
    drawn = Segmentation("case", segmentation.classes, segmentation.grid)
    for algorithm, expected in ((None, "SEMIAUTOMATIC"), ("MANUAL", "MANUAL")):
        path = tmp_path / f"{expected}.dcm"
        write_dicom_seg(drawn, series.files, path, algorithm_type=algorithm)
        assert {x.SegmentAlgorithmType for x in pydicom.dcmread(path).SegmentSequence} == {expected}


def test_an_empty_mask_is_written(tmp_path):
    series, segmentation = write(tmp_path / "t1ce")
    empty = Segmentation("case", np.zeros(SHAPE, np.uint8), segmentation.grid, run=RUN)
    path = write_dicom_seg(empty, series.files, tmp_path / "seg.dcm")
    assert not hd.seg.segread(path).get_volume(combine_segments=True).array.any()


@pytest.mark.parametrize("shift_mm", [0.0, 40.0])
def test_an_enhanced_file_of_two_volumes_gets_a_seg_of_the_one_on_the_grid(tmp_path, shift_mm):
    grid = grid_along("LPS", SHAPE, SPACING)
    path = write_enhanced(tmp_path / "t1ce", np.ones(SHAPE, np.uint16), grid, "Ax T1 POST")
    add_volume(path, shift_mm)
    second = find_studies(tmp_path / "t1ce").studies[0].series[1]
    for labels in (classes(), np.zeros(SHAPE, np.uint8)):
        mask = Segmentation("case", labels, second.grid, run=RUN)
        output = tmp_path / "seg.dcm"
        write_dicom_seg(mask, second.files, output, frames=second.frames, overwrite=True)
        for tissue in (TissueClass.ED, TissueClass.ET) if labels.any() else ():
            found = points_by_pydicom(output, int(tissue))
            np.testing.assert_allclose(found, centres(labels == tissue, mask), atol=0.02)
        assert_frames_refer_to_their_places(output, path)
        assert min(referred_frames(output)) > SHAPE[2]
    other = grid_along("LPS", SHAPE, SPACING, 3)
    with pytest.raises(GridMismatchError, match="does not lie on the grid of the series"):
        write_dicom_seg(Segmentation("case", classes(), other), second.files, tmp_path / "x.dcm")


def test_a_seg_refers_to_the_volume_of_an_enhanced_file_that_the_mask_was_made_of(tmp_path):
    """Two echoes at the same places: the grid does not tell which one is meant."""
    path = write_two_echoes(tmp_path / "study")
    for number in (0, 1):
        series = find_studies(tmp_path / "study").studies[0].series[number]
        volume = series.read()
        made_of = {"t1ce": image_digest(volume.data, volume.grid)}
        mask = Segmentation("case", classes(), volume.grid, made_of=made_of)
        with pytest.raises(CaseError, match=r"several volumes .*\(TE 9 ms\); .* \(TE 40 ms\)"):
            write_dicom_seg(mask, [path], tmp_path / "unclear.dcm")
        output = tmp_path / f"{number}.dcm"
        found = write_dicom_seg_of_study(mask, tmp_path / "study", output)
        assert found.title == series.title
        expected = range(1 + number * SHAPE[2], 1 + (number + 1) * SHAPE[2])
        assert set(referred_frames(output)) <= set(expected)


def write_two_echoes(folder: Path) -> Path:
    data = np.random.default_rng(0).integers(1, 900, SHAPE).astype(np.uint16)
    path = write_enhanced(folder, data, grid_along("LPS", SHAPE, SPACING), "Ax T1 POST")
    add_volume(path, 0)
    image = pydicom.dcmread(path)
    pixels = image.pixel_array
    pixels[SHAPE[2] :] = 1000 - pixels[SHAPE[2] :]
    image.PixelData = pixels.tobytes()
    image.save_as(path)
    return path


def referred_frames(output: Path) -> list[int]:
    return [
        int(frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber)
        for frame in pydicom.dcmread(output).PerFrameFunctionalGroupsSequence
    ]


def test_of_two_t1ce_on_one_grid_a_seg_refers_to_the_one_that_the_mask_records(tmp_path):
    series, segmentation = write(tmp_path / "study" / "4")
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
        found = write_dicom_seg_of_study(mask, tmp_path / "study", output, overwrite=True)
        assert found.title == title
        (referenced,) = pydicom.dcmread(output).ReferencedSeriesSequence
        assert referenced.SeriesInstanceUID == found.uid


def assert_frames_refer_to_their_places(output: Path, source: Path) -> None:
    places = [
        frame.PlanePositionSequence[0].ImagePositionPatient
        for frame in pydicom.dcmread(source).PerFrameFunctionalGroupsSequence
    ]
    for frame in pydicom.dcmread(output).PerFrameFunctionalGroupsSequence:
        referred = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        own = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(places[referred - 1], own, atol=1e-6)


def add_volume(path: Path, shift_mm: float) -> None:
    """Add a second echo to an enhanced file, at places that are shifted along z."""
    image = pydicom.dcmread(path)
    frames = []
    for echo, shift in ((9.0, 0.0), (40.0, shift_mm)):
        for frame in deepcopy(list(image.PerFrameFunctionalGroupsSequence)):
            timing = pydicom.Dataset()
            timing.EffectiveEchoTime = echo
            frame.MREchoSequence = [timing]
            (place,) = frame.PlanePositionSequence
            x, y, z = place.ImagePositionPatient
            place.ImagePositionPatient = [x, y, z + shift]
            frames.append(frame)
    image.PerFrameFunctionalGroupsSequence = frames
    image.NumberOfFrames, image.PixelData = len(frames), 2 * image.PixelData
    image.save_as(path)


def test_slices_with_gaps_keep_their_thickness_and_distance(tmp_path):
    series, segmentation = write(tmp_path / "t1ce", SliceThickness=4.0)
    seg = pydicom.dcmread(write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm"))
    (measures,) = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert (float(measures.SliceThickness), float(measures.SpacingBetweenSlices)) == (4, 5)


def test_deidentified_files_may_lack_what_may_be_empty(tmp_path):
    series, segmentation = write(tmp_path / "t1ce")
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
        series, segmentation = write(tmp_path / "t1ce")
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
    series, segmentation = write(tmp_path / "t1ce", "LPS")
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
    series, segmentation = write(tmp_path / "t1ce", suffix=".dcm")
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
    series, segmentation = write(tmp_path / "t1ce", FrameOfReferenceUID="")
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

    series, segmentation = write(tmp_path / "t1ce")
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingPackageError, match="the package highdicom") as refused:
        write_dicom_seg(segmentation, series.files, tmp_path / "seg.dcm")
    assert refused.value.remedy.action is Action.INSTALL_RAW


def test_the_series_of_a_mask_is_found_by_its_grid(tmp_path):
    study = tmp_path / "study"
    _, segmentation = write(study / "t1ce", "LPS", 12)
    other = grid_along("LPS", SHAPE, SPACING)
    write_series(study / "t2", classes() * 100, other, "T2", number=7)
    assert series_on_grid(study, segmentation.grid).title == "4 Ax T1 POST"
    with pytest.raises(CaseError, match="holds no DICOM series on the grid of the mask"):
        series_on_grid(study, grid_along("LPS", SHAPE, SPACING, 5))
    write_series(study / "t1", classes() * 100, segmentation.grid, "Ax T1", number=3)
    assert series_on_grid(study, segmentation.grid).title == "4 Ax T1 POST"  # rather than T1
    write_series(study / "flair", classes() * 100, other, "FLAIR", number=8)
    with pytest.raises(CaseError, match="2 series on the grid of the mask: 7 T2 of") as error:
        series_on_grid(study, other)
    assert error.value.remedy.action is Action.CHOOSE_SERIES


def test_a_mask_is_never_filed_under_another_patient(tmp_path):
    series, segmentation = write(tmp_path / "both" / "A", patient="A", study="1.2.10")
    write(tmp_path / "both" / "B", patient="B", study="1.2.20")
    # A finer T1CE of the patient, so that the series of the mask is not the one that is preferred.
    fine = grid_along("LPS", (48, 40, 24), tuple(s / 2 for s in SPACING))
    data = np.random.default_rng(0).integers(0, 900, fine.shape).astype(np.uint16)
    same = {"patient": "A", "study": "1.2.10", "number": 5}
    write_series(tmp_path / "both" / "A2", data, fine, "Ax T1 POST", **same)
    study, output = tmp_path / "both", tmp_path / "seg.dcm"
    with pytest.raises(CaseError, match=r"of patient A, 20240102; .* of patient B") as error:
        write_dicom_seg_of_study(segmentation, study, output)
    assert error.value.remedy.action is Action.CHOOSE_SERIES
    with pytest.raises(CaseError, match="does not hold the series that the case was prepared from"):
        write_dicom_seg_of_study(segmentation, study / "B", output, series_uid=series.uid)
    assert not output.exists()
    write_dicom_seg_of_study(segmentation, study, output, series_uid=series.uid)
    assert pydicom.dcmread(output).PatientID == "A"


def test_a_mask_that_records_another_patients_images_is_refused(tmp_path, smalltumor):
    series, segmentation = write(tmp_path / "A", patient="A", study="1.2.10")
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
    assert "mask.nii.gz was made of other images than 4 Ax T1 POST of patient B, 20240102" in err
    assert "name the study of the mask, or pass --other-images" in err
    assert smalltumor(*options, "--other-images")[0] == 0
    assert pydicom.dcmread(output).PatientID == "B"
    code, _, err = smalltumor(*options[:2], tmp_path / "A", *options[3:], "--overwrite")
    assert (code, err) == (0, "") and pydicom.dcmread(output).PatientID == "A"
    of_case = {"t1ce": image_digest(other, segmentation.grid), "flair": own["t1ce"]}
    write_segmentation(replace(segmentation, made_of=of_case), mask, overwrite=True)
    code, _, err = smalltumor(*options[:2], tmp_path / "A", *options[3:], "--overwrite")
    assert (code, err) == (0, "")  # the series is the FLAIR of the case


@pytest.mark.parametrize("change", ["as it is", "to RAS", "cropped"])
def test_a_corrected_label_file_becomes_a_dicom_seg(tmp_path, smalltumor, change):
    _, segmentation = write(tmp_path / "study", "LPI", 7)
    image = nib.Nifti1Image(SCHEMES["brats2018"].encode(classes()), segmentation.grid.affine)
    if change == "to RAS":
        image = nib.as_closest_canonical(image)
    if change == "cropped":
        image = image.slicer[1:18, 2:19, 1:11]
    nib.save(image, tmp_path / "mask.nii.gz")
    options = ("dicom-seg", tmp_path / "mask.nii.gz", tmp_path / "study")
    options += ("--labels", "brats2018", "-o")
    code, out, err = smalltumor(*options, tmp_path / "seg.dcm")
    assert (code, err) == (0, "")
    assert "refers to 4 Ax T1 POST of patient P1, 20240102: 24 x 20 x 12 voxels" in out
    for tissue in (TissueClass.NCR, TissueClass.ED, TissueClass.ET):
        found = points_by_pydicom(tmp_path / "seg.dcm", int(tissue))
        expected = centres(segmentation.classes == tissue, segmentation)
        np.testing.assert_allclose(found, expected, atol=0.02)
    code, _, err = smalltumor(*options, tmp_path / "seg.dcm")
    assert code == 1
    assert "exists; choose another output, or pass --overwrite" in err
