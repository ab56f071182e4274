"""What a tumour board asks of a segmentation: volumes, diameters, side, foci and small lesions."""

from smalltumor.measures.case_measures import (
    REGIONS_OF_VOLUMES,
    CaseMeasures,
    LesionMeasures,
    RegionMeasures,
    measure_case,
    measure_classes,
)
from smalltumor.measures.sums import TARGET_LESIONS, BidimensionalSum

__all__ = [
    "REGIONS_OF_VOLUMES",
    "TARGET_LESIONS",
    "BidimensionalSum",
    "CaseMeasures",
    "LesionMeasures",
    "RegionMeasures",
    "measure_case",
    "measure_classes",
]
