"""The page of a case: pictures and measures, as one HTML file without any other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.extras import require
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import REGION_COLOURS, REGION_NAMES, Region
from smalltumor.measures import CaseMeasures, LesionMeasures
from smalltumor.report import texts
from smalltumor.report.details import ReportDetails
from smalltumor.report.figures import (
    LINE_STYLES,
    Picture,
    picture_of_lesion,
    picture_of_slice,
    window_of,
)
from smalltumor.report.slices import largest_of, largest_slice, slice_of_voxels
from smalltumor.text import mm3_text
from smalltumor.version import software_version

MAX_PICTURES = 24
"""Small lesions with a picture, the largest ones; the others are in the table only."""

PICTURE_MM = 48.0
"""Width of the picture of a lesion."""

ADDED_SHARE = 0.1
"""A lesion is marked if at least this share of it was added to the result of the network."""

_IN_THE_SUM = "in the sum".replace(" ", "\N{NO-BREAK SPACE}")

_ROW_PERCENT = 95.0
_NAMES = {**{r.value: REGION_NAMES[r] for r in Region}, "ncr": "necrotic core", "ed": "edema"}


@dataclass(frozen=True)
class _Snapshot:
    """A picture of a row in which all have one scale, and its share of the width in percent."""

    picture: Picture
    share: float


@dataclass(frozen=True)
class _RegionRow:
    """A row of the table of regions; texts as they are printed."""

    name: str
    short: str
    volume: str
    equivalent: str = texts.ABSENT
    diameters: str = texts.ABSENT
    product: str = texts.ABSENT
    diameters_slice: str = texts.ABSENT
    side: str = texts.ABSENT
    midline: str = texts.ABSENT


@dataclass(frozen=True)
class _LesionRow:
    """A row of the table of lesions; texts as they are printed."""

    number: str
    size: str
    diameters: str
    product: str
    diameters_slice: str
    rano: str
    side: str
    midline: str
    slice: str
    centre: str


def case_page(case: Case, classes: Classes, measures: CaseMeasures, details: ReportDetails) -> str:
    """Make the page of a case.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the grid of the case.
    measures : CaseMeasures
        Of these classes.
    details : ReportDetails

    Returns
    -------
    str
        HTML. Every text that is not this package's is escaped.

    Raises
    ------
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    pictured = measures.small_lesions[:MAX_PICTURES]
    return render(
        "case.html.j2",
        title=f"Report of {details.title or measures.name}",
        name=details.title or measures.name,
        details=details,
        snapshots=_snapshots(case, classes, measures.known_regions),
        largest=largest_of(classes, measures.known_regions),
        legend=legend(measures.known_regions),
        regions=region_rows(measures),
        measures=measures,
        lesions=lesion_rows(measures),
        are_added=any(map(_is_added, measures.lesions)),
        may_be_added=_may_be_added(measures, details),
        pictures=_lesion_pictures(case, classes, pictured),
    )


def render(template: str, **content: Any) -> str:
    """Fill a template of this package; all content is escaped.

    Raises
    ------
    MissingPackageError
        If jinja2 is not installed.
    """
    jinja2 = require("jinja2", "a report", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smalltumor.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["css_string"] = texts.css_string
    environment.globals["texts"] = texts  # also of imported macros
    environment.globals["region_names"] = REGION_NAMES
    made = {"made": date.today().isoformat(), "version": software_version()}
    page: str = environment.get_template(template).render(**made, **content)
    return page


def legend(regions: Sequence[Region]) -> list[dict[str, str]]:
    """Colour, line style and name of the contour of each of these regions."""
    return [
        {
            "colour": _hexadecimal(REGION_COLOURS[region]),
            "style": style,
            "name": f"{region.upper()} {REGION_NAMES[region]}",
        }
        for region, style in LINE_STYLES.items()
        if region in regions
    ]


def _hexadecimal(colour: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def region_rows(measures: CaseMeasures) -> list[_RegionRow]:
    """The table of regions: ET, TC, WT, NCR and ED."""
    return [_region_row(name, measures) for name in measures.volumes_ml]


def _region_row(name: str, measures: CaseMeasures) -> _RegionRow:
    row = _RegionRow(_NAMES[name], name.upper(), texts.volume(measures.volumes_ml[name]))
    region = measures.regions[Region(name)] if name in list(Region) else None
    if region is None:
        return row
    return replace(
        row,
        equivalent=texts.length(region.equivalent_diameter_mm),
        diameters=texts.diameters(region.axial),
        product=texts.area(region.axial.product_mm2),
        diameters_slice=texts.slice_number(region.axial.slice_number),
        side=texts.ABSENT if region.side is None else region.side.value,
        midline=texts.length(region.midline_mm),
    )


def lesion_rows(measures: CaseMeasures) -> list[_LesionRow]:
    """The table of lesions, the largest first."""
    targets = measures.sums.lesions if measures.sums is not None else ()
    largest_first = sorted(measures.lesions, key=lambda each: each.lesion.mm3, reverse=True)
    return [_lesion_row(each, each.lesion.id in targets) for each in largest_first]


def _lesion_row(measures: LesionMeasures, is_target: bool) -> _LesionRow:
    lesion, axial = measures.lesion, measures.lesion.axial
    is_measurable = axial is not None and axial.measurable
    return _LesionRow(
        number=f"{lesion.id}{texts.ADDED if _is_added(measures) else ''}",
        size=mm3_text(lesion.mm3),
        diameters=texts.diameters(axial),
        product=texts.area(None if axial is None else axial.product_mm2),
        diameters_slice=texts.slice_number(lesion.diameters_slice),
        rano=_IN_THE_SUM if is_target else "measurable" if is_measurable else texts.ABSENT,
        side=texts.ABSENT if lesion.side is None else lesion.side.value,
        midline=texts.length(measures.midline_mm),
        slice=texts.slice_number(lesion.slices and lesion.slices[0]),
        centre=texts.position(measures.centre),
    )


def _is_added(each: LesionMeasures) -> bool:
    return each.added_share is not None and each.added_share >= ADDED_SHARE


def _may_be_added(measures: CaseMeasures, details: ReportDetails) -> bool:
    """Whether the mask was edited, but what the network gave is not known."""
    is_edited = details.made_by is not None and details.made_by.is_edited
    return is_edited and any(each.added_share is None for each in measures.lesions)


def _snapshots(case: Case, classes: Classes, regions: Sequence[Region]) -> list[_Snapshot]:
    image = case.volumes[REFERENCE]
    window, title = window_of(image), MODALITY_TITLES[REFERENCE]
    slices = {
        p: largest_slice(image, classes, case.grid, p) for p in ("axial", "coronal", "sagittal")
    }
    pictures = [picture_of_slice(slices["axial"], window, title, regions=())]
    pictures += [picture_of_slice(shown, window, title, regions) for shown in slices.values()]
    if "flair" in case.finite:
        flair = case.volumes["flair"]
        shown = largest_slice(flair, classes, case.grid, "axial")
        title = MODALITY_TITLES["flair"]
        pictures.append(picture_of_slice(shown, window_of(flair), title, regions))
    whole = sum(picture.width for picture in pictures)
    return [_Snapshot(p, _ROW_PERCENT * p.width / whole) for p in pictures]


def _lesion_pictures(
    case: Case, classes: Classes, lesions: Sequence[LesionMeasures]
) -> list[Picture]:
    image = case.volumes[REFERENCE]
    window = window_of(image)
    pictures = []
    for each in lesions:
        assert each.lesion.indices is not None
        shown = slice_of_voxels(image, classes, case.grid, each.lesion.indices, PICTURE_MM)
        name = f"Lesion {each.lesion.id}"
        place = texts.place_of(each.lesion, shown.number)
        caption = f"{name}: {texts.size_of(each.lesion)}, {place}"
        pictures.append(picture_of_lesion(shown, window, name, caption))
    return pictures
