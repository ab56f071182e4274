"""A DICOM SEG of an enhanced file refers to the frames of the volume that the mask was made of."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from dicom_cases import write_enhanced
from dicom_seg_files import (
    RUN,
    SHAPE,
    SPACING,
    centres,
    classes,
    points_by_pydicom,
    write_series_and_mask,
)
from smalltumor.data.identity.image_digests import image_digest
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.labels.regions import TissueClass
from smalltumor.scanner.dicom_seg import (
    write_dicom_seg,
    write_dicom_seg_of_study,
)
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")


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


def test_each_frame_refers_to_the_image_of_its_slice(tmp_path):
    series, segmentation = write_series_and_mask(tmp_path / "t1ce", reverse=True)
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
        found = write_dicom_seg_of_study(mask, tmp_path / "study", output).series
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
