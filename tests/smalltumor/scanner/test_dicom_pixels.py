"""Pixels of DICOM files: scales, inversion and compression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_cases import SHAPE, noise, pydicom, write_enhanced, write_series
from smalltumor.errors import CaseError
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along


def only_series(folder: Path) -> Series:
    (study,) = find_studies(folder).studies
    (series,) = study.series
    return series


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("slope", [None, 0.5])
def test_an_image_whose_large_values_are_dark_is_inverted(
    tmp_path: Path, slope: float | None, compressed: bool
):
    if compressed:
        pytest.importorskip("SimpleITK")
    tags = {} if slope is None else {"RescaleSlope": slope, "RescaleIntercept": -100}
    folder = write_series(
        tmp_path,
        4095 - noise(),
        grid_along("LPS", SHAPE),
        "Ax T1",
        PhotometricInterpretation="MONOCHROME1",
        **tags,
    )
    if compressed:
        for path in folder.iterdir():
            image = pydicom.dcmread(path)
            image.compress(pydicom.uid.RLELossless)
            image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    expected = noise() * (slope or 1)
    np.testing.assert_allclose(study.series[0].read().data, expected - expected.min())


def test_slices_of_which_some_are_inverted_are_refused(tmp_path: Path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    path = next(folder.iterdir())
    image = pydicom.dcmread(path)
    image.PhotometricInterpretation = "MONOCHROME1"
    image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    with pytest.raises(CaseError, match=r"large values are dark in it \(MONOCHROME1\)"):
        study.series[0].read()


def test_a_file_that_ends_within_its_pixels_is_an_error_with_its_name(tmp_path):
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    path = sorted(tmp_path.iterdir())[3]
    path.write_bytes(path.read_bytes()[:-40])
    (study,) = find_studies(tmp_path).studies
    with pytest.raises(CaseError, match=path.name):
        study.series[0].read()


def test_intensity_scales_are_applied(tmp_path):
    tags = {"RescaleSlope": 0.5, "RescaleIntercept": 3}
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1", **tags)
    (study,) = find_studies(tmp_path).studies
    np.testing.assert_allclose(study.series[0].read().data, noise() * 0.5 + 3)


def compress(path: Path, kind: str) -> None:
    """Compress the pixels of a file, by pydicom or SimpleITK, whichever can."""
    from pydicom import uid

    image = pydicom.dcmread(path)
    by_pydicom = {"RLE": uid.RLELossless, "JPEG-LS": uid.JPEGLSLossless}
    if kind in by_pydicom:
        if kind == "JPEG-LS":
            pytest.importorskip("jpeg_ls", reason="pyjpegls is not installed")
        image.compress(by_pydicom[kind])
    elif kind == "deflated":
        image.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    else:
        sitk = pytest.importorskip("SimpleITK")
        other = path.with_name("other.dcm")
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(kind)
        writer.SetFileName(str(other))
        writer.Execute(sitk.GetImageFromArray(image.pixel_array[np.newaxis]))
        written = pydicom.dcmread(other)
        image.PixelData = written.PixelData
        image["PixelData"].is_undefined_length = True
        image.file_meta.TransferSyntaxUID = written.file_meta.TransferSyntaxUID
        other.unlink()
    image.save_as(path)


@pytest.mark.parametrize("kind", ["RLE", "JPEG", "JPEG2000", "JPEG-LS", "deflated"])
def test_compressed_pixels_are_those_that_were_compressed(tmp_path, kind):
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no compressed DICOM")
    tags = {"RescaleSlope": 0.5, "RescaleIntercept": 3}
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1", **tags)
    for path in folder.iterdir():
        compress(path, kind)
    (study,) = find_studies(tmp_path).studies
    np.testing.assert_allclose(study.series[0].read().data, noise() * 0.5 + 3)


def test_an_unknown_compression_is_named_and_nothing_is_printed(tmp_path, capfd):
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no compressed DICOM")
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    for path in folder.iterdir():
        compress(path, "RLE")
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
        image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    with pytest.raises(CaseError, match="compressed as High-Throughput JPEG 2000") as refused:
        study.series[0].read()
    assert "convert the series to uncompressed DICOM or NIfTI" in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shared", [False, True])
def test_intensity_scales_of_frames_are_applied(tmp_path, shared):
    path = write_enhanced(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 3)), "FLAIR")
    image = pydicom.dcmread(path)
    groups = "SharedFunctionalGroups" if shared else "PerFrameFunctionalGroups"
    slopes = []
    for number, group in enumerate(image[f"{groups}Sequence"].value):
        scale = pydicom.Dataset()
        scale.RescaleSlope, scale.RescaleIntercept = 1.0 + number % 2, 3.0
        scale.RescaleType = "US"
        group.PixelValueTransformationSequence = [scale]
        slopes.append(1.0 + number % 2)
    image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    found = study.series[0].read().data
    np.testing.assert_allclose(found, noise() * np.array(slopes) + 3)
    assert found.dtype == np.float32


@pytest.mark.parametrize(("padding", "limit"), [(-32768, None), (-2000, -1990)])
def test_padding_is_background(tmp_path, padding, limit):
    data = noise().astype(np.int16)
    data[:3], data[3] = padding, padding if limit is None else limit
    tags = {"PixelRepresentation": 1, "PixelPaddingValue": padding}
    if limit is not None:
        tags["PixelPaddingRangeLimit"] = limit
    folder = write_series(tmp_path, data, grid_along("LPS", SHAPE), "T1", **tags)
    series = only_series(folder)
    read = series.read().data
    assert not read[:4].any()
    np.testing.assert_array_equal(read[4:], data[4:])


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("scale", [None, (2.5, -10.0)])
@pytest.mark.parametrize(
    ("dtype", "bits", "padding", "limit"),
    [
        *((np.uint16, 16, 4095, None), (np.uint16, 12, 4095, 4090), (np.uint16, 12, 0, None)),
        *((np.int16, 16, -32768, None), (np.int16, 16, -2000, -1990)),
    ],
)
def test_padding_in_compressed_files_is_background_as_in_others(
    tmp_path, photometric, scale, dtype, bits, padding, limit
):
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no compressed DICOM")
    data = (noise() + 5).astype(dtype)
    data[:3], data[3] = padding, padding if limit is None else limit
    tags = {"PhotometricInterpretation": photometric, "PixelPaddingValue": padding}
    tags |= {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(dtype == np.int16)}
    if scale is not None:
        tags |= {"RescaleSlope": scale[0], "RescaleIntercept": scale[1]}
    if limit is not None:
        tags["PixelPaddingRangeLimit"] = limit
    folder = write_series(tmp_path, data, grid_along("LPS", SHAPE), "T1", **tags)
    plain = only_series(folder).read().data
    for path in folder.iterdir():
        compress(path, "RLE")
    np.testing.assert_allclose(only_series(folder).read().data, plain)
    assert not plain[:4].any()


def test_padding_of_zero_changes_no_type(tmp_path):
    data = noise()
    data[:3] = 0
    folder = write_series(tmp_path, data, grid_along("LPS", SHAPE), "T1", PixelPaddingValue=0)
    series = only_series(folder)
    assert series.read().data.dtype == data.dtype


@pytest.mark.parametrize("colours", ["PALETTE COLOR", "RGB", "YBR_FULL_422"])
def test_pictures_in_colours_are_listed_and_are_no_sequence(tmp_path, colours):
    folder = write_series(
        tmp_path,
        noise(),
        grid_along("LPS", SHAPE),
        "T1 KM fused",
        PhotometricInterpretation=colours,
    )
    series = only_series(folder)
    found = classify(series.acquisition)
    assert found.sequence is None and found.reason.startswith("a picture in colours")


@pytest.mark.parametrize("padded", [0, 5, 11])
def test_a_slice_of_padding_among_inverted_ones_is_background(tmp_path, padded):
    data = 4095 - noise()
    data[..., padded] = 9000
    tags = {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 9000}
    folder = write_series(tmp_path, data, grid_along("LPS", SHAPE), "T1", **tags)
    read = only_series(folder).read().data
    assert np.isfinite(read).all() and not read[..., padded].any() and read.max() > 0


def test_a_series_of_padding_alone_is_empty(tmp_path):
    data = np.full(SHAPE, 7, np.uint16)
    folder = write_series(tmp_path, data, grid_along("LPS", SHAPE), "T1", PixelPaddingValue=7)
    assert not only_series(folder).read().data.any()


def with_philips_scale(image, slope: float) -> None:
    block = image.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", slope)


@pytest.mark.parametrize("rescaled", [False, True])
def test_slices_that_philips_displays_differently_are_comparable(tmp_path: Path, rescaled: bool):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    slopes = {}
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        slope = slopes[image.InstanceNumber] = float(1 + image.InstanceNumber % 3)
        pixels = (image.pixel_array * slope).astype("<u2")
        image.PixelData = pixels.tobytes()
        if rescaled:  # a part of the factor is the slope of DICOM
            image.RescaleSlope, image.RescaleIntercept = slope, 0
            image.PixelData = (pixels / slope).astype("<u2").tobytes()
        with_philips_scale(image, 1.0 if rescaled else slope)
        image.save_as(path)
    data = only_series(tmp_path).read().data
    np.testing.assert_allclose(data, noise() * slopes[1], rtol=1e-6)


def test_slices_that_philips_displays_alike_are_as_they_are_stored(tmp_path: Path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        with_philips_scale(image, 0.0123)
        image.save_as(path)
    data = only_series(tmp_path).read().data
    assert data.dtype == np.uint16
    np.testing.assert_array_equal(data, noise())


@pytest.mark.parametrize("without", [1, 5])
def test_slices_are_as_they_are_stored_if_one_has_no_scale_of_philips(tmp_path: Path, without: int):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        if image.InstanceNumber != without:
            with_philips_scale(image, 0.0123)
            image.save_as(path)
    np.testing.assert_array_equal(only_series(tmp_path).read().data, noise())


def test_frames_that_philips_displays_differently_are_comparable(tmp_path: Path):
    path = write_enhanced(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 3)), "FLAIR")
    image = pydicom.dcmread(path)
    pixels = image.pixel_array.copy()
    for k, frame in enumerate(image.PerFrameFunctionalGroupsSequence):
        private = pydicom.Dataset()
        with_philips_scale(private, 1.0 + k % 2)
        block = frame.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x0F, "SQ", [private])
        pixels[k] *= 1 + k % 2
    image.PixelData = pixels.tobytes()
    image.save_as(path)
    np.testing.assert_allclose(only_series(tmp_path).read().data, noise(), rtol=1e-6)
