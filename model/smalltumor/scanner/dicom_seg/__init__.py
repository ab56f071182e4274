"""Segmentations as DICOM Segmentation objects (SEG) that refer to the images of a series."""

from smalltumor.scanner.dicom_seg.encoding import check_packages
from smalltumor.scanner.dicom_seg.mask_warnings import unrecorded_images_warnings
from smalltumor.scanner.dicom_seg.series_of_mask import SeriesOfMaskError, series_on_grid
from smalltumor.scanner.dicom_seg.writing import (
    SUFFIX,
    check_dicom_seg,
    check_dicom_seg_output,
    series_of_segmentation,
    write_dicom_seg,
    write_dicom_seg_of_series,
    write_dicom_seg_of_study,
)

__all__ = [
    "SUFFIX",
    "SeriesOfMaskError",
    "check_dicom_seg",
    "check_dicom_seg_output",
    "check_packages",
    "series_of_segmentation",
    "series_on_grid",
    "unrecorded_images_warnings",
    "write_dicom_seg",
    "write_dicom_seg_of_series",
    "write_dicom_seg_of_study",
]
