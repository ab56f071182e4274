"""Candidates that were written to files, for a mask that is read again.

A label image and a lesion table hold them, beside the mask that they were found beside. Nothing in
the files says whose they are but what they hold, so everything that both must agree on is checked:
a candidate of another patient must not be listed for this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import CaseError
from smalltumor.files.existence import is_absent
from smalltumor.files.tables import read_table
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_MM3
from smalltumor.lesions import Lesion, LesionList, lesion_components, measure_lesion

if TYPE_CHECKING:
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.segmentation import Segmentation

_BOX = tuple(f"box_{axis}_{end}" for axis in "ijk" for end in ("start", "stop"))
_COLUMNS = ("id", "list", "voxels", *_BOX, "mean_probability", "max_probability", "score")

Cells = dict[str, str]
Voxels = npt.NDArray[np.int64]


class NoCandidatesError(CaseError):
    """The table lists candidates, and there is no image of them."""


@dataclass(frozen=True, eq=False)
class StoredLesion:
    """The voxels of a candidate or of a component of the mask, and what its row tells of it.

    Parameters
    ----------
    voxels : (n, 3) int array
        Voxel indices on the grid of the mask, in scan order.
    mean_probability, max_probability, score : float or None
    """

    voxels: Voxels = field(repr=False)
    mean_probability: float | None
    max_probability: float | None
    score: float | None


@dataclass(frozen=True, eq=False)
class StoredCandidates:
    """What the files of a case tell of its mask.

    Parameters
    ----------
    mask : Segmentation
        The network's mask, beside which the candidates were found.
    candidates : sequence of StoredLesion
        The likeliest first.
    found : sequence of StoredLesion
        The components of enhancing tumour.
    problem : str
        Why there are no candidates, in a sentence; empty if they could be read.
    is_missing : bool
        Whether no candidates were written; else a problem is a fault of the files.
    score_warning : str
        Why the scores may not hold; empty if they do.
    """

    mask: Segmentation = field(repr=False)
    candidates: Sequence[StoredLesion] = ()
    found: Sequence[StoredLesion] = ()
    problem: str = ""
    is_missing: bool = False
    score_warning: str = ""

    def lesions(
        self,
        *,
        first_id: int = 1,
        threshold: float = SMALL_LESION_MM3,
        plane: MidsagittalPlane | None = None,
    ) -> list[Lesion]:
        """The candidates, measured; parameters as of `SecondLook.candidates`."""
        return [
            replace(
                measure_lesion(
                    *(number, stored.voxels, self.mask.grid, Region.ET, threshold), plane=plane
                ),
                list_name=LesionList.SECOND_LOOK,
                score=stored.score,
                mean_probability=stored.mean_probability,
                max_probability=stored.max_probability,
            )
            for number, stored in enumerate(self.candidates, start=first_id)
        ]


def read_candidates(image: Path, table: Path, mask: Segmentation) -> StoredCandidates:
    """Read the candidates that were found beside a mask.

    Parameters
    ----------
    image : Path
        Label image of the candidates; it may be missing if the table lists none.
    table : Path
        Lesion table of the mask.
    mask : Segmentation
        The network's.

    Raises
    ------
    NoCandidatesError
        If the image is missing.
    SmalltumorError
        If a file cannot be read, or the mask, the table and the image do not belong together.
    """
    rows = read_table(table, _COLUMNS)
    try:
        found = [row for row in rows if row["list"] == LesionList.FOUND]
        others = [row for row in rows if row["list"] == LesionList.SECOND_LOOK]
        components = _components_of_table(found, table, mask)
        candidates = _candidates_of_image(others, image, table, mask) if others else []
    except ValueError as error:
        raise CaseError(f"{table} is damaged: {error}") from error
    if not others and not is_absent(image):
        _check_empty(image, table)
    candidates.sort(key=lambda stored: -(stored.score or 0.0))
    return StoredCandidates(mask, candidates, components)


def with_probabilities(lesions: Sequence[Lesion], stored: Sequence[StoredLesion]) -> list[Lesion]:
    """Components of a mask with the probabilities that were stored of them.

    Those that were edited since have none.
    """
    by_box = {_box_of(each.voxels): each for each in stored}

    def described(lesion: Lesion) -> Lesion:
        assert lesion.indices is not None
        stored_lesion = by_box.get(_box_of(lesion.indices))
        if stored_lesion is None or not np.array_equal(stored_lesion.voxels, lesion.indices):
            return lesion
        return replace(
            lesion,
            mean_probability=stored_lesion.mean_probability,
            max_probability=stored_lesion.max_probability,
        )

    return [described(lesion) for lesion in lesions]


def _components_of_table(rows: list[Cells], table: Path, mask: Segmentation) -> list[StoredLesion]:
    """The components of the mask, which the table lists if it is of this mask and as it is now."""
    components = lesion_components(mask.mask(Region.ET), mask.grid).voxels
    by_id = {int(row["id"]): row for row in rows}
    numbered = dict(enumerate(components, start=1))
    if by_id.keys() != numbered.keys() or len(by_id) != len(rows):
        raise CaseError(_not_of_this_mask(table))
    for number, voxels in numbered.items():
        if not _is_of_row(voxels, by_id[number]):
            raise CaseError(_not_of_this_mask(table))
    return [_stored(voxels, by_id[number]) for number, voxels in numbered.items()]


def _candidates_of_image(
    rows: list[Cells], image: Path, table: Path, mask: Segmentation
) -> list[StoredLesion]:
    """The candidates of an image, whose values are the ids of the rows."""
    if is_absent(image):
        raise NoCandidatesError(f"{image.name} is missing")
    volume = read_nifti(image)
    if not volume.grid.matches(mask.grid):
        raise CaseError(f"{image.name} is on another grid than the mask")
    by_id = {int(row["id"]): row for row in rows}
    places = np.argwhere(volume.data != 0)
    values = volume.data[tuple(places.T)]
    if set(np.unique(values).tolist()) != by_id.keys() or len(by_id) != len(rows):
        raise CaseError(_disagree(image, table))
    voxels = {number: places[values == number] for number in by_id}
    if not all(_is_of_row(voxels[number], row) for number, row in by_id.items()):
        raise CaseError(_disagree(image, table))
    if mask.mask(Region.ET)[tuple(places.T)].any():
        raise CaseError(f"{image.name} is of another mask: candidates lie within this one")
    return [_stored(voxels[number], row) for number, row in by_id.items()]


def _check_empty(image: Path, table: Path) -> None:
    if read_nifti(image).data.any():
        raise CaseError(_disagree(image, table))


def _is_of_row(voxels: Voxels, row: Cells) -> bool:
    """Whether a row tells the number and the bounding box of these voxels."""
    box = tuple(int(row[name]) for name in _BOX)
    return len(voxels) == int(row["voxels"]) and _box_of(voxels) == box


def _box_of(voxels: Voxels) -> tuple[int, ...]:
    first, stop = voxels.min(axis=0), voxels.max(axis=0) + 1
    return tuple(int(n) for pair in zip(first, stop, strict=True) for n in pair)


def _stored(voxels: Voxels, row: Cells) -> StoredLesion:
    mean, peak, score = (
        float(row[name]) if row[name] else None
        for name in ("mean_probability", "max_probability", "score")
    )
    for value in (mean, peak, score):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{value} is neither a probability nor a score")
    return StoredLesion(voxels, mean, peak, score)


def _not_of_this_mask(table: Path) -> str:
    return f"{table.name} is not of this mask, which was changed or replaced since"


def _disagree(image: Path, table: Path) -> str:
    return f"{image.name} and {table.name} list different candidates"
