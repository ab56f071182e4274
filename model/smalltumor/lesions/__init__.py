"""Lesions of a segmentation: find, measure, sort and list them."""

from smalltumor.labels.lesion_list import LesionList
from smalltumor.lesions.find import find_lesions
from smalltumor.lesions.location import Side
from smalltumor.lesions.measure import (
    Lesion,
    Point,
    ProbabilityLookup,
    Spans,
    lesion_components,
    measure_lesion,
    measure_lesions,
    without_probability_if_painted,
)
from smalltumor.lesions.table import (
    COLUMNS,
    case_cells,
    csv_text,
    lesion_row,
    sort_lesions,
    table_text,
    write_csv,
)

__all__ = [
    "COLUMNS",
    "Lesion",
    "LesionList",
    "Point",
    "ProbabilityLookup",
    "Side",
    "Spans",
    "case_cells",
    "csv_text",
    "find_lesions",
    "lesion_components",
    "lesion_row",
    "measure_lesion",
    "measure_lesions",
    "sort_lesions",
    "table_text",
    "without_probability_if_painted",
    "write_csv",
]
