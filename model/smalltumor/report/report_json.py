"""The numbers of a report as JSON; docs/report.schema.json describes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smalltumor.files.atomic import write_text
from smalltumor.labels.regions import Region
from smalltumor.lesions.axial_diameters import AxialDiameters
from smalltumor.measures import CaseMeasures, LesionMeasures, RegionMeasures
from smalltumor.report.details import ReportDetails
from smalltumor.version import PACKAGE, software_version

FORMAT = "smalltumor report 1"
"""Name and version of the format; raise the number when a key changes its meaning."""


def as_json(measures: CaseMeasures, details: ReportDetails) -> dict[str, Any]:
    """Every number of a report as plain dicts, lists and numbers; None is not measured."""
    sums, plane = measures.sums, measures.plane
    return {
        "format": FORMAT,
        "software": {"name": PACKAGE, "version": software_version() or None},
        "research_only": True,
        "case": measures.name,
        "patient": details.patient or None,
        "scan_date": details.scan_date or None,
        "mask": details.mask or None,
        "model": details.model or None,
        "made_by": details.made_by and details.made_by.as_json(),
        "reviewer": details.reviewer or None,
        "warnings": list(details.warnings),
        "volumes_ml": dict(measures.volumes_ml),
        "regions": {region.value: _region(measures.regions[region]) for region in Region},
        "small_below_mm3": measures.threshold,
        "lesions": [_lesion(x) for x in measures.lesions] if measures.tells_lesions else None,
        "sums": sums
        and {
            "lesions": list(sums.lesions),
            "product_mm2": sums.product_mm2,
            "longest_mm": sums.longest_mm,
            "ml": sums.ml,
        },
        "foci": measures.foci,
        "foci_distance_mm": measures.foci_distance_mm,
        "midsagittal_plane": plane
        and {
            "normal_ras": list(plane.normal),
            "offset_mm": plane.offset_mm,
            "symmetry": plane.symmetry,
        },
    }


def write_json(
    measures: CaseMeasures, details: ReportDetails, path: Path, *, overwrite: bool = False
) -> None:
    """Write `as_json` to a file, whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    content = json.dumps(as_json(measures, details), indent=1, allow_nan=False)
    write_text(path, content + "\n", overwrite=overwrite)


def _region(measures: RegionMeasures | None) -> dict[str, Any] | None:
    if measures is None:
        return None
    return {
        "equivalent_diameter_mm": measures.equivalent_diameter_mm,
        **_axial(measures.axial),
        "side": measures.side and measures.side.value,
        "midline_mm": measures.midline_mm,
    }


def _lesion(measures: LesionMeasures) -> dict[str, Any]:
    lesion = measures.lesion
    return {
        "id": lesion.id,
        "mm3": lesion.mm3,
        "small": lesion.is_small,
        "equivalent_diameter_mm": measures.equivalent_diameter_mm,
        **_axial(lesion.axial),
        "centroid_ras_mm": list(lesion.centroid_ras_mm),
        "axial_slice": lesion.slices and lesion.slices[0],
        "side": lesion.side and lesion.side.value,
        "midline_mm": measures.midline_mm,
        "mean_probability": lesion.mean_probability,
        "score": lesion.score,
    }


def _axial(axial: AxialDiameters | None) -> dict[str, Any]:
    if axial is None:
        names = ("axial_mm", "axial_perpendicular_mm", "product_mm2", "measurable")
        return dict.fromkeys((*names, "diameters_slice", "has_cavity"))
    return {
        "axial_mm": axial.longest_mm,
        "axial_perpendicular_mm": axial.perpendicular_mm,
        "product_mm2": axial.product_mm2,
        "measurable": axial.measurable,
        "diameters_slice": axial.slice_number,
        "has_cavity": axial.has_cavity,
    }
