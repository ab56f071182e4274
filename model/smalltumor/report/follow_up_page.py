"""The page of a follow-up: new lesions first, then RANO's category, all changes and the course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smalltumor.follow_up import (
    BASIS,
    CHANGED_VOLUME,
    RULE,
    TOLERANCE_MM,
    UNKNOWN,
    ChangeKind,
    FollowUp,
    LesionChange,
)
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SPECK_MM3, is_small
from smalltumor.measures import TARGET_LESIONS, CaseMeasures, LesionMeasures
from smalltumor.report import texts
from smalltumor.report.course_figure import draw_course
from smalltumor.report.details import ReportDetails
from smalltumor.report.figures import Picture, data_url, png_of
from smalltumor.report.follow_up_pictures import FollowUpPictures
from smalltumor.report.page import legend, render
from smalltumor.report.slices import largest_of
from smalltumor.text import mm3_text, pluralize

_MAX_NUMBERS = 4
"""Numbers of lesions in a cell of the table of changes."""

MAX_PICTURED = 12
"""Changes with pictures, the first ones of the table."""


@dataclass(frozen=True)
class ChangeRow:
    """A row of the table of changes; texts as they are printed."""

    change: str
    earlier: str
    current: str
    earlier_volume: str
    current_volume: str
    relative: str
    earlier_diameters: str
    current_diameters: str
    place_parts: tuple[str, ...]
    is_new: bool

    @property
    def place(self) -> str:
        """The centre, and what the other scan shows there."""
        return _joined(self.place_parts)


@dataclass(frozen=True)
class _ScanRow:
    """A row of the table of scans."""

    title: str
    name: str
    mask: str
    volumes: tuple[str, ...]
    lesions: str
    products: str
    similarity: str


@dataclass(frozen=True)
class _Pair:
    """A lesion at the earlier and at the current scan."""

    earlier: Picture
    current: Picture
    caption: str


def follow_up_page(follow_up: FollowUp, details: ReportDetails) -> str:
    """Make the page of a follow-up.

    Parameters
    ----------
    follow_up : FollowUp
    details : ReportDetails
        Patient, reviewer and warnings.

    Returns
    -------
    str
        HTML. Every text that is not this package's is escaped.

    Raises
    ------
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    pictures = FollowUpPictures(follow_up)
    return render(
        "follow_up.html.j2",
        title=f"Follow-up of {details.patient or follow_up.current.case.name}",
        name=details.patient or follow_up.current.case.name,
        details=details,
        headline=headline(follow_up),
        follow_up=follow_up,
        new=follow_up.of(ChangeKind.NEW),
        unstated_dates=_unstated_dates(follow_up),
        scans=_scan_rows(follow_up),
        rows=change_rows(follow_up.changes),
        pairs=[_pair(pictures, each) for each in follow_up.changes[:MAX_PICTURED]],
        slices=pictures.slices(),
        largest=largest_of(follow_up.current.classes, follow_up.current.measures.known_regions),
        legend=legend([r for r in Region if r in pictures.regions]),
        course=data_url(png_of(draw_course(follow_up))),
        rule=RULE,
        basis=BASIS,
        unknown=UNKNOWN,
        changed_percent=f"{CHANGED_VOLUME:.0%}",
        tolerance=f"{TOLERANCE_MM:g}",
        target_lesions=TARGET_LESIONS,
    )


def _unstated_dates(follow_up: FollowUp) -> str:
    """The dates of the scans if one is missing, which no title of a scan shows; else empty."""
    if not any(scan.date for scan in follow_up.scans):
        return "not stated"
    if all(scan.date for scan in follow_up.scans):
        return ""
    return ", ".join(scan.date or f"{scan.title}: not stated" for scan in follow_up.scans)


def headline(follow_up: FollowUp) -> str:
    """What comes first: how many lesions are new, and their sizes; without any, how many grew.

    Lesions that are gone but whose place is still bright, and those that cannot be compared, are
    counted at the end.
    """
    return "; ".join(
        filter(None, (_new_or_grown(follow_up), _still_bright(follow_up), _unknown(follow_up)))
    )


def _new_or_grown(follow_up: FollowUp) -> str:
    if follow_up.not_compared:
        return f"Enhancing lesions are not compared: {follow_up.not_compared}"
    new = follow_up.of(ChangeKind.NEW)
    if not new:
        grown = sum(each.has_grown for each in follow_up.changes)
        has = "has" if grown == 1 else "have"
        return f"No new enhancing lesion{f', but {grown} {has} grown' if grown else ''}"
    sizes = ", ".join(f"{_mm3(each.current_mm3)} mm³ ({_place(each)})" for each in new[:3])
    more = ", ..." if len(new) > 3 else ""
    return f"{pluralize(len(new), 'new enhancing lesion')}{_specks_among(new)}: {sizes}{more}"


def _still_bright(follow_up: FollowUp) -> str:
    count = sum(each.bright_current for each in follow_up.changes)
    is_gone = (
        "is listed as gone, but its place is"
        if count == 1
        else "are listed as gone, but their places are"
    )
    return f"{pluralize(count, 'lesion')} {is_gone} still bright in T1CE" if count else ""


def _unknown(follow_up: FollowUp) -> str:
    count = len(follow_up.of(ChangeKind.NOT_COMPARABLE))
    return f"{pluralize(count, 'lesion')} cannot be compared" if count else ""


def _specks_among(new: Sequence[LesionChange]) -> str:
    """How many of several new lesions are so small that they are often no lesions."""
    count = sum(is_small(each.current_mm3 or 0.0, SPECK_MM3) for each in new)
    return f", {count} of them below {SPECK_MM3:g} mm³" if count and len(new) > 1 else ""


def change_rows(changes: Sequence[LesionChange]) -> list[ChangeRow]:
    """The table of changes, new lesions first."""
    return [_change_row(change) for change in changes]


def _change_row(change: LesionChange) -> ChangeRow:
    relative = change.relative
    return ChangeRow(
        change=change.kind.value,
        earlier=_numbers(change.earlier),
        current=_numbers(change.current),
        earlier_volume=_mm3(change.earlier_mm3),
        current_volume=_mm3(change.current_mm3),
        relative=texts.ABSENT if relative is None else f"{relative:+.0%}".replace("-", "−"),
        earlier_diameters=_diameters(change.earlier),
        current_diameters=_diameters(change.current),
        place_parts=_place_parts(change),
        is_new=change.kind is ChangeKind.NEW,
    )


def _numbers(lesions: Sequence[LesionMeasures]) -> str:
    """Numbers of the lesions; of many, which have merged or split, how many they are."""
    if len(lesions) > _MAX_NUMBERS:
        return pluralize(len(lesions), "lesion")
    return " + ".join(str(each.lesion.id) for each in lesions) or texts.ABSENT


def _mm3(value: float | None) -> str:
    return texts.ABSENT if value is None else mm3_text(value)


def _diameters(lesions: Sequence[LesionMeasures]) -> str:
    """Longest axial diameter and its perpendicular of the largest lesion, and their slice."""
    axial = lesions[0].lesion.axial if lesions else None
    if axial is None:
        return texts.ABSENT
    number = texts.slice_number(lesions[0].lesion.diameters_slice)
    return f"{texts.diameters(axial)} ({number})"


def _place(change: LesionChange) -> str:
    return _joined(_place_parts(change))


def _joined(parts: Sequence[str]) -> str:
    return "; ".join(parts)


def _place_parts(change: LesionChange) -> tuple[str, ...]:
    """Side and axial slice of the centre of the largest current lesion, or earlier if it is gone.

    Of a new lesion beside one of the earlier scan, also its distance to that one, and of any new
    lesion, whether the earlier image seems to show it; of one that is gone, whether the current
    image still does; of one that cannot be compared, what the
    other scan shows of it.
    """
    found = (change.current or change.earlier)[0].lesion
    beside = "" if change.beside_mm is None else f", {change.beside_mm:.1f} mm from a known lesion"
    scan = "" if change.current else " of the earlier scan"
    bright = "the earlier image is bright here, too" if change.bright_earlier else ""
    still = "the current image is still bright here" if change.bright_current else ""
    parts = (f"{texts.place_of(found)}{beside}{scan}", bright, still, _shown_text(change))
    return tuple(filter(None, parts))


def _shown_text(change: LesionChange) -> str:
    """What the other scan shows of a lesion that cannot be compared."""
    if change.kind is not ChangeKind.NOT_COMPARABLE:
        return ""
    if change.shown_current < change.shown_earlier:
        return f"the current scan shows {change.shown_current:.0%} of it"
    return f"the earlier scan shows {change.shown_earlier:.0%} of it"


def _shown_place(change: LesionChange, number: int) -> str:
    """As `_place`, with the slice of the current scan that is shown if the lesion is gone."""
    centre, *remarks = _place_parts(change)
    in_current = "" if change.current else f", {number} of the current one"
    return _joined([f"{centre}{in_current}", *remarks])


def _pair(pictures: FollowUpPictures, change: LesionChange) -> _Pair:
    (earlier, current), number = pictures.pair(change)
    sizes = f"{_mm3(change.earlier_mm3)} → {_mm3(change.current_mm3)} mm³"
    caption = f"{change.kind.value}: {sizes}, {_shown_place(change, number)}"
    return _Pair(earlier, current, caption)


def _scan_rows(follow_up: FollowUp) -> list[_ScanRow]:
    similarities = ["reference", *(f"{r.similarity:.2f}" for r in follow_up.registrations)]
    return [
        _ScanRow(
            title=scan.title,
            name=scan.case.name,
            mask=scan.mask,
            volumes=tuple(texts.volume(scan.measures.volumes_ml[r.value]) for r in Region),
            lesions=_number_of_lesions(scan.measures),
            products=texts.area(products),
            similarity=similarity,
        )
        for scan, products, similarity in zip(
            follow_up.scans, follow_up.response.sums_mm2, similarities, strict=True
        )
    ]


def _number_of_lesions(measures: CaseMeasures) -> str:
    return str(len(measures.lesions)) if measures.tells_lesions else texts.ABSENT
