"""Scans of one patient, from the first to the last, compared with each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.made_by import MadeBy
from smalltumor.errors import SmalltumorError
from smalltumor.files.folder_parts import distinctive_part
from smalltumor.follow_up.course import Course
from smalltumor.follow_up.coverage import Coverage
from smalltumor.follow_up.local_contrast import MATCHING, LocalContrast
from smalltumor.follow_up.matching import ChangeKind, LesionChange
from smalltumor.follow_up.registration import ScanRegistration, register_scans
from smalltumor.follow_up.response import Category, Response, assess, with_earlier_progression
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.labels.masks import Classes
from smalltumor.measures import CaseMeasures
from smalltumor.progress import CancelCallback, ProgressCallback, ProgressReporter
from smalltumor.text import list_text

_REGISTERED = 0.8
"""Progress when the scans are registered; matching lesions takes the rest."""

_HALVED_AFTER = 30
"""Iterations of a registration after which half of what is left counts as done; two heads of 1 mm
took 68."""


@dataclass(frozen=True, eq=False)
class Scan:
    """One time point of a patient.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on its grid.
    measures : CaseMeasures
        Of these classes.
    date : str
        As it is to be printed; empty if it is not known.
    mask : str
        Where the mask is from.
    is_from_this_program : bool
        Whether it is one of this program: a file that was exported, see
        `smalltumor.data.masks.case_mask.CaseMask.is_exported`, or the regions in the window.
    made_by : MadeBy, optional
        What the file of the mask records of the network and of edits.
    name : str
        Name of the scan, if its case has the name of another one; empty for that of the case.
    """

    case: Case
    classes: Classes = field(repr=False)
    measures: CaseMeasures
    date: str = ""
    mask: str = ""
    is_from_this_program: bool = False
    made_by: MadeBy | None = None
    name: str = ""

    @property
    def title(self) -> str:
        """Date of the scan, or its name."""
        return self.date or self.name or self.case.name

    @property
    def model(self) -> str:
        """The weights that made the mask; empty if its file records none."""
        return "" if self.made_by is None else self.made_by.model


@dataclass(frozen=True)
class FollowUp:
    """Scans of a patient and what has changed.

    Parameters
    ----------
    scans : tuple of Scan
        From the first to the last, two or more.
    registrations : tuple of ScanRegistration
        Of each later scan to the first.
    changes : tuple of LesionChange
        From the scan before to the last; new lesions first.
    response : Response
    """

    scans: tuple[Scan, ...]
    registrations: tuple[ScanRegistration, ...]
    changes: tuple[LesionChange, ...]
    response: Response

    @property
    def earlier(self) -> Scan:
        """The scan before the last, which the last one is compared with."""
        return self.scans[-2]

    @property
    def current(self) -> Scan:
        """The last scan."""
        return self.scans[-1]

    def of(self, kind: ChangeKind) -> list[LesionChange]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def not_compared(self) -> str:
        """Why lesions of the last two scans are not compared; empty if they are."""
        return _no_et_text(self.scans[-2:])

    @property
    def earlier_to_current(self) -> Affine:
        """From points of the earlier scan to those of the current one, patient mm, RAS."""
        to_first = np.linalg.inv(self._matrix_of(len(self.scans) - 2))
        return np.asarray(self._matrix_of(len(self.scans) - 1) @ to_first, dtype=np.float64)

    def earlier_on_current_grid(self) -> tuple[npt.NDArray[np.float32], Classes]:
        """T1CE and tissue classes (i, j, k) of the earlier scan, on the grid of the current one."""
        case, grid = self.earlier.case, self.current.case.grid
        placed = Grid(case.grid.shape, self.earlier_to_current @ case.grid.affine)
        classes = resample_labels(self.earlier.classes, placed, grid)
        return resample(case.volumes[REFERENCE], placed, grid), classes

    def voxels_on_current_grid(self, change: LesionChange) -> npt.NDArray[np.float64]:
        """Voxels of the largest current lesion of a change, or else earlier one, (n, 3) indices."""
        lesion = (change.current or change.earlier)[0].lesion
        assert lesion.indices is not None and lesion.grid is not None
        if change.current:
            return lesion.indices.astype(np.float64)
        to_grid = (
            np.linalg.inv(self.current.case.grid.affine)
            @ self.earlier_to_current
            @ lesion.grid.affine
        )
        return np.asarray(lesion.indices @ to_grid[:3, :3].T + to_grid[:3, 3])

    def _matrix_of(self, index: int) -> Affine:
        """From points of the first scan to points of another."""
        return self.registrations[index - 1].matrix if index else np.eye(4)


def compare_scans(
    scans: Sequence[Scan],
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCallback | None = None,
) -> FollowUp:
    """Register the scans of a patient to the first one and compare the last with those before.

    Parameters
    ----------
    scans : sequence of Scan
        From the first to the last, two or more.
    progress, cancelled : callable, optional
        As in `smalltumor.segment`.

    Raises
    ------
    SmalltumorError
        If there are fewer than two scans.
    CaseError
        If two scans do not show the same head.
    MissingPackageError
        If SimpleITK is not installed.
    Cancelled
    """
    if len(scans) < 2:
        raise SmalltumorError("a comparison needs two scans or more")
    reporter = ProgressReporter(progress, cancelled)
    scans = _with_distinct_titles(scans)
    first, *later = scans
    registrations = []
    for index, scan in enumerate(later):
        text = _registering_text(index, len(later))
        registration = register_scans(
            first.case, scan.case, _reports_iterations(reporter, text, index, len(later))
        )
        registrations.append(registration)
    with reporter.subrange(_REGISTERED, 1.0):
        follow_up = compare_registered(scans, registrations, reporter)
    reporter.update(1.0, MATCHING)
    return follow_up


def _registering_text(index: int, total: int) -> str:
    """Which of the registrations to the first scan runs; short, as a dock is narrow."""
    if total == 1:
        return "registering the earlier scan"
    return f"registering scan {index + 2} of {total + 1}"


def _with_distinct_titles(scans: Sequence[Scan]) -> list[Scan]:
    """The scans, of which those with one title are named with what their folders differ in."""
    folders = [next((path.parent for path in scan.case.paths.values()), None) for scan in scans]
    named = []
    for scan, folder in zip(scans, folders, strict=True):
        alike = [f for s, f in zip(scans, folders, strict=True) if s.title == scan.title]
        if None not in alike and len(alike) > 1 and len(set(alike)) == len(alike):
            scan = replace(scan, name=f"{scan.title} ({distinctive_part(folder, alike)})")
        named.append(scan)
    return named


def _reports_iterations(
    reporter: ProgressReporter, text: str, index: int, total: int
) -> Callable[[], None]:
    """Function that reports the progress of a registration at each of its iterations.

    How many there will be is not known: what is left is halved after each `_HALVED_AFTER`.
    """
    reporter.update(_REGISTERED * index / total, text)
    iterations = itertools.count(1)

    def report() -> None:
        left = 0.5 ** (next(iterations) / _HALVED_AFTER)
        reporter.update(_REGISTERED * (index + 1 - left) / total, text)

    return report


def compare_registered(
    scans: Sequence[Scan],
    registrations: Sequence[ScanRegistration],
    progress: ProgressReporter | None = None,
) -> FollowUp:
    """Compare scans whose registrations to the first are known."""
    course = Course(
        [scan.measures for scan in scans],
        [registration.matrix for registration in registrations],
        [Coverage.of(scan.case) for scan in scans],
        [LocalContrast(scan.case, scan.classes) for scan in scans],
        progress,
    )
    last = len(scans) - 1
    changes = [] if _no_et_text(scans[-2:]) else course.changes(last - 1, last)
    response = _response(course, scans)
    return FollowUp(tuple(scans), tuple(registrations), tuple(changes), response)


def _response(course: Course, scans: Sequence[Scan]) -> Response:
    """The response at the last scan; it needs the enhancing lesions of all."""
    if text := _no_et_text(scans):
        return Response(Category.NOT_EVALUABLE, (text,), (None,) * len(scans))
    last = len(scans) - 1
    responses = [(scans[n].title, assess(course.response_measures(n))) for n in range(1, last)]
    return with_earlier_progression(assess(course.response_measures(last)), responses)


def _no_et_text(scans: Sequence[Scan]) -> str:
    """Which masks have no class for enhancing tumour, and so show no lesion; empty if all have."""
    titles = [scan.title for scan in scans if not scan.measures.tells_lesions]
    masks = "mask" if len(titles) == 1 else "masks"
    have = "has" if len(titles) == 1 else "have"
    text = f"the {masks} of {list_text(titles)} {have} no class for enhancing tumour"
    return text if titles else ""
