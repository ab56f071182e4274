"""The page of a cohort: its sizes, what deserves a look, and what failed, as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from smalltumor.cohort.results.results import CaseResult, read_results, read_settings
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.reviews.ranking import CRITERION, ORDER, deserves_look, ranked, reasons_of
from smalltumor.cohort.reviews.review_table import Review
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.data.made_by import SEEN_IN_TRAINING
from smalltumor.errors import SmalltumorError
from smalltumor.files.names import file_key
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.progress import ProgressCallback
from smalltumor.report import texts
from smalltumor.report.cohort_figure import SMALL_ML, draw_sizes
from smalltumor.report.cohort_pictures import picture_of_case
from smalltumor.report.figures import Picture, data_url, png_of
from smalltumor.report.page import legend, render

if TYPE_CHECKING:
    from smalltumor.data.naming.case_files import CaseFiles

LinkOf = Callable[[CaseResult], str]
"""Gives the address of the mask of a case."""

_FIGURE_DPI = 160


@dataclass(frozen=True)
class _Look:
    """A case that deserves a look; texts as they are printed."""

    number: int
    name: str
    link: str
    picture: Picture | None
    problem: str
    reasons: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _CaseRow:
    """A row of the table of cases."""

    name: str
    link: str
    volumes: tuple[str, ...]
    lesions: str
    small: str
    candidates: str
    probability: str
    warnings: int
    reader: str


@dataclass(frozen=True)
class _SizeRow:
    """A row of the table of sizes."""

    name: str
    present: int
    absent: int | str
    small: int
    median: str
    quartiles: str
    largest: str


def cohort_page(
    folder: Path,
    page: Path,
    *,
    most: int,
    data: Path | None = None,
    progress: ProgressCallback = lambda fraction, step: None,
) -> str:
    """Make the page of a folder of results, complete or not.

    One case is in memory at a time.

    Parameters
    ----------
    folder : Path
        Results of `smalltumor.cohort.cohort.segment_cohort`.
    page : Path
        Where the page is to be, for its links to the masks.
    most : int
        Cases with a picture, the first that deserve a look; the others are in the table only.
    data : Path, optional
        Folder of the cases, for the pictures; by default the one that the masks were made of.
    progress : callable
        Called with the fraction done and the step.

    Returns
    -------
    str
        HTML. Every text that is not this package's is escaped.

    Raises
    ------
    SmalltumorError
        If the folder holds no results of a cohort.
    MissingPackageError
        If jinja2 or matplotlib is not installed.
    """
    settings, results = read_settings(folder), ranked(read_results(folder))
    info = settings.info
    made = [result for result in results if not result.failed]
    worth = [result for result in made if deserves_look(result)]
    damaged: list[str] = []
    reviews = Reviews(folder).latest(damaged)
    link = partial(_link, folder, page)
    pictures = _Pictures(ResultsFolder(folder), info.scheme, data or info.data)
    return render(
        "cohort.html.j2",
        title=f"Cohort {folder.resolve().name}",
        folder=folder.resolve().name,
        info=info,
        ended=settings.ended,
        versions=", ".join(sorted({r.row.version for r in made} - {""})),
        count=len(results),
        made_count=len(made),
        seen=[r.name for r in made if SEEN_IN_TRAINING in r.warnings],
        order=ORDER,
        criterion=CRITERION,
        looks=list(_looks(worth[:most], pictures, progress, link)),
        worth=len(worth),
        most=most,
        failed=[result.row for result in results if result.failed],
        figure=_figure(made),
        sizes=_sizes(made),
        small_ml=f"{SMALL_ML:g}",
        reviewed=sum(file_key(result.name) in reviews for result in made),
        damaged=damaged,
        rows=[_row(result, reviews.get(file_key(result.name)), link) for result in made],
        legend=legend(tuple(Region)),
    )


class _Pictures:
    """Pictures of the cases of a folder of results, as far as their images are found.

    Parameters
    ----------
    results : ResultsFolder
    scheme : str
        Label scheme of the masks.
    data : Path or None
        Folder of the cases.
    """

    def __init__(self, results: ResultsFolder, scheme: str, data: Path | None) -> None:
        self._results, self._scheme, self._data = results, scheme, data
        self._cases: Mapping[str, CaseFiles] = {}
        self._problem = ""

    def find(self) -> None:
        """Find the images of the cases."""
        self._cases, self._problem = _cases_in(self._data)

    def of(self, result: CaseResult) -> tuple[Picture | None, str]:
        """The picture of a case, or None and why there is none."""
        try:
            return picture_of_case(result, self._results, self._scheme, self._cases), ""
        except SmalltumorError as error:
            not_read = self._problem if result.name not in self._cases else ""
            return None, ": ".join(filter(None, (str(error), not_read)))


def _cases_in(data: Path | None) -> tuple[dict[str, CaseFiles], str]:
    """The cases of a folder by name, or none and why it cannot be read."""
    from smalltumor.data.naming.find_cases import find_cases

    if data is None:
        return {}, ""
    try:
        return {files.name: files for files in find_cases(data)}, ""
    except SmalltumorError as error:
        return {}, str(error)


def _looks(
    shown: Sequence[CaseResult], pictures: _Pictures, progress: ProgressCallback, link: LinkOf
) -> Iterator[_Look]:
    if shown:
        progress(0.0, "finding the images")
        pictures.find()
    for number, result in enumerate(shown, start=1):
        progress((number - 1) / len(shown), f"picture of {result.name}")
        picture, problem = pictures.of(result)
        yield _Look(
            number=number,
            name=result.name,
            link=link(result),
            picture=picture,
            problem=problem,
            reasons="; ".join(reasons_of(result)),
            warnings=result.warnings,
        )


def _link(folder: Path, page: Path, result: CaseResult) -> str:
    """Address of a mask relative to the page, so that both can be moved together."""
    mask = ResultsFolder(folder.resolve()).mask(result.name)
    try:
        relative = Path(os.path.relpath(mask, page.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return mask.as_uri()
    return quote(relative if relative.startswith(".") else f"./{relative}")


def _row(result: CaseResult, review: Review | None, link: LinkOf) -> _CaseRow:
    row = result.row
    return _CaseRow(
        name=result.name,
        link=link(result),
        volumes=tuple(texts.volume(ml) for ml in (row.et_ml, row.tc_ml, row.wt_ml)),
        lesions=texts.ABSENT if row.et_components is None else str(row.et_components),
        small=texts.ABSENT if row.et_small is None else str(row.et_small),
        candidates=str(result.count("candidate")),
        probability=texts.share(result.lowest_probability),
        warnings=len(result.warnings),
        reader=texts.ABSENT if review is None else review.who,
    )


def _volumes(made: Sequence[CaseResult]) -> dict[Region, list[float | None]]:
    """Volumes in ml of each region; None for a case without it."""
    rows = [result.row for result in made]
    return {
        Region.ET: [row.et_ml if row.et_components else None for row in rows],
        Region.TC: [row.tc_ml or None for row in rows],
        Region.WT: [row.wt_ml or None for row in rows],
    }


def _lesions(made: Sequence[CaseResult]) -> list[float]:
    return [mm3 for result in made for mm3 in result.lesions_mm3]


def _figure(made: Sequence[CaseResult]) -> str:
    return data_url(png_of(draw_sizes(_volumes(made), _lesions(made)), _FIGURE_DPI))


def _sizes(made: Sequence[CaseResult]) -> list[_SizeRow]:
    rows = [
        _size_row(f"{region.upper()} {REGION_NAMES[region]}, cases", values)
        for region, values in _volumes(made).items()
    ]
    return [*rows, _size_row("enhancing lesions", [mm3 / 1000 for mm3 in _lesions(made)])]


def _size_row(name: str, values: Sequence[float | None]) -> _SizeRow:
    present = np.array([value for value in values if value is not None])
    small = int(np.count_nonzero(present < SMALL_ML))
    if not present.size:
        return _SizeRow(name, 0, len(values), 0, *(texts.ABSENT,) * 3)
    low, median, high = (texts.volume(float(v)) for v in np.percentile(present, (25, 50, 75)))
    largest = texts.volume(float(present.max()))
    absent = len(values) - present.size
    return _SizeRow(
        name=name,
        present=present.size,
        absent=absent,
        small=small,
        median=median,
        quartiles=f"{low} to {high}",
        largest=largest,
    )
