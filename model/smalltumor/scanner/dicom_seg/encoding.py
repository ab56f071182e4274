"""Segments of a DICOM SEG and their codes.

The segments are the tissue classes, coded as in DICOM's context group for lesions of the brain
(CID 7168): necrosis and edema in SNOMED CT, and the enhancing lesion in the NCI Thesaurus, because
SNOMED CT has no concept for it. They do not overlap, so that every viewer shows them; regions are
their unions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from smalltumor.data.made_by import MadeBy
from smalltumor.data.naming.case_files import modality_titles
from smalltumor.extras import check_installed, require
from smalltumor.labels.regions import CLASS_COLOURS, TissueClass
from smalltumor.version import PACKAGE, software_version

_PURPOSE = "writing a DICOM SEG"

_NAME = "smalltumor"
_DESCRIPTION = "Brain tumour segmentation, research only"

_SERIES_NUMBER = 1000
"""Added to the number of the source series, as numbers of a study's series should differ."""


class _Segment(NamedTuple):
    label: str
    scheme: str
    code: str
    meaning: str


_SEGMENTS: Mapping[TissueClass, _Segment] = MappingProxyType(
    {
        TissueClass.NCR: _Segment("Necrosis", "SCT", "6574001", "Necrosis"),
        TissueClass.ED: _Segment("Edema", "SCT", "79654002", "Edema"),
        TissueClass.ET: _Segment("Enhancing tumor", "NCIt", "C113842", "Enhancing Lesion"),
    }
)


def check_packages() -> None:
    """Check that the packages that a DICOM SEG needs are installed, without importing them.

    Raises
    ------
    MissingPackageError
    """
    check_installed(("pydicom", "highdicom"), _PURPOSE)


def highdicom() -> Any:
    """The module highdicom.

    Raises
    ------
    MissingPackageError
    """
    return require("highdicom", _PURPOSE)


def encode(pixels: npt.NDArray[np.uint8], headers: list[Any], made_by: MadeBy | None) -> Any:
    """A DICOM SEG, not yet written.

    Parameters
    ----------
    pixels : (slice, row, column) uint8 array
        Tissue classes, in the order of the images.
    headers : list of pydicom.Dataset
        Of the images, in the same order, or of the one enhanced file.
    made_by : MadeBy, optional
        What made the mask. If that is not known, it is called semi-automatic, as people may have
        drawn or edited it.

    Returns
    -------
    highdicom.seg.Segmentation

    Raises
    ------
    ValueError, TypeError, AttributeError, KeyError
        If the headers lack what a SEG refers to.
    """
    hd = highdicom()
    first = headers[0]
    number = int(first.get("SeriesNumber") or 0)
    made_by = made_by or MadeBy("SEMIAUTOMATIC")
    return hd.seg.Segmentation(
        source_images=headers,
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=_descriptions(hd, made_by),
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER + max(0, number),
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=PACKAGE,
        manufacturer_model_name=_NAME,
        software_versions=_release(),
        device_serial_number="0",
        content_label="BRAIN_TUMOUR",
        content_description=_DESCRIPTION,
        series_description=_DESCRIPTION,
    )


def _release() -> str:
    return software_version() or "unknown"


def _descriptions(hd: Any, made_by: MadeBy) -> list[Any]:
    code = hd.sr.CodedConcept
    identification = hd.AlgorithmIdentificationSequence(
        name=_NAME,
        family=code("123110", "DCM", "Artificial Intelligence"),
        version=made_by.version or _release(),
        parameters=_parameters(made_by) or None,
    )
    return [
        hd.seg.SegmentDescription(
            segment_number=int(tissue),
            segment_label=segment.label,
            segmented_property_category=code(
                "49755003", "SCT", "Morphologically Abnormal Structure"
            ),
            segmented_property_type=code(segment.code, segment.scheme, segment.meaning),
            algorithm_type=made_by.algorithm_type,
            algorithm_identification=None if made_by.is_manual else identification,
            anatomic_regions=[code("12738006", "SCT", "Brain")],
            display_color=hd.color.CIELabColor.from_rgb(
                *(round(255 * part) for part in CLASS_COLOURS[tissue])
            ),
        )
        for tissue, segment in _SEGMENTS.items()
    ]


def _parameters(made_by: MadeBy) -> dict[str, str]:
    parameters = {"weights": made_by.weights, "weights SHA-256": made_by.digest}
    if made_by.missing:
        parameters["segmented without"] = modality_titles(made_by.missing)
    return {name: value for name, value in parameters.items() if value}
