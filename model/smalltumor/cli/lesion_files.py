"""The lesion table and the image of candidates that `segment` writes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smalltumor.data.case import Case
    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.files.tables import Cell
    from smalltumor.lesions import Lesion
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

    Lesions = tuple[list[Lesion], list[Lesion]]  # components of the mask, candidates


def all_lesions(
    case: Case,
    segmentation: Segmentation,
    plane: MidsagittalPlane | None,
    warn: Callable[[str], None],
) -> Lesions:
    """What a segmentation on the case's grid found, and its candidates; say what is missing."""
    from smalltumor.errors import SecondLookError
    from smalltumor.lesions import find_lesions
    from smalltumor.second_look import score_warning, second_look

    try:
        lesions = second_look(case, segmentation, plane=plane)
    except SecondLookError as error:
        warn(str(error))
        return find_lesions(segmentation, plane=plane), []
    warning = score_warning(segmentation)
    if warning is not None:
        warn(warning)
    return lesions


def on_native_grid(
    lesions: Lesions,
    segmentation: Segmentation,
    prepared: PreparedCase,
    modality: str,
    plane: MidsagittalPlane | None,
) -> Lesions:
    """Lesions and candidates on the grid of a segmentation that has been brought to a series.

    There, lesions are found again, and have no score. The plane is that of the brain on the grid of
    T1CE.
    """
    from smalltumor.lesions import find_lesions
    from smalltumor.scanner.prepared.native_grid import labels_on_native_grid
    from smalltumor.second_look import on_other_grid

    if segmentation.cropped is not None:  # it is still on the grid of T1CE
        return lesions
    registration = prepared.sequences[modality].registration
    if plane is not None and registration is not None:
        plane = plane.moved_by(registration.matrix)
    found = find_lesions(segmentation, plane=plane)
    resample = partial(labels_on_native_grid, case=prepared, modality=modality)
    candidates = on_other_grid(
        lesions[1], prepared.grid, segmentation.grid, resample, len(found) + 1, plane=plane
    )
    return found, candidates


def write_table(lesions: Lesions, of_case: Mapping[str, Cell], path: Path) -> None:
    """Write the table of all lesions, with `case_cells` of their case."""
    from smalltumor.lesions import write_csv

    found, candidates = lesions
    write_csv([*found, *candidates], path, of_case)


def write_candidates(lesions: Lesions, segmentation: Segmentation, path: Path) -> None:
    """Write the label image of the candidates."""
    from smalltumor.second_look import write_label_image

    write_label_image(lesions[1], segmentation, path)


def summary(candidates: list[Lesion]) -> str:
    """One line on the candidates."""
    scores = ", ".join(f"{lesion.score or 0:.2f}" for lesion in candidates)
    return f"  second look            {len(candidates):9d}" + (
        f", scores {scores}" if scores else ""
    )
