"""Cases of a cohort with the same images under different names, as a copied folder has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.rows import CohortRow
from smalltumor.data.identity.image_digests import blocks_of, images_in_common, images_of_mask
from smalltumor.data.naming.case_files import role_title
from smalltumor.files.tables import joined
from smalltumor.text import list_text


def same_images(rows: Sequence[CohortRow], folder: ResultsFolder) -> dict[str, list[str]]:
    """What is said of the cases that have an image of another case.

    Images are told by what the masks record of them, see `smalltumor.data.identity.image_digests`:
    they are the same whatever the compression or the axes of their files.

    Parameters
    ----------
    rows : sequence of CohortRow
        Failed ones have no mask.
    folder : ResultsFolder

    Returns
    -------
    dict of str to list of str
        Warnings that name the other cases, by the name of the case.
    """
    masks = {row.case: folder.mask(row.case) for row in rows if row.outcome != "failed"}
    made_of = {case: images_of_mask(mask) for case, mask in masks.items()}
    return {
        case: _texts(case, others, made_of) for case, others in _others_by_case(made_of).items()
    }


def _others_by_case(made_of: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The cases with an image of others, and these, in the order of the cases."""
    by_block: dict[str, set[str]] = defaultdict(set)
    for case, images in made_of.items():
        for block in blocks_of(images):
            by_block[block].add(case)
    sharing: dict[str, set[str]] = defaultdict(set)
    for cases in by_block.values():
        for case in cases:
            sharing[case] |= cases - {case}
    return {case: [o for o in made_of if o in sharing[case]] for case in made_of if sharing[case]}


def _texts(case: str, others: Sequence[str], made_of: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A warning for each set of modalities that are images of others."""
    by_modalities: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for other in others:
        by_modalities[tuple(images_in_common(made_of[case], made_of[other]))].append(other)
    return [
        _text(common, names, is_all=len(common) == len(made_of[case]))
        for common, names in by_modalities.items()
    ]


def _text(common: Sequence[str], others: Sequence[str], *, is_all: bool) -> str:
    if is_all:
        return f"same images as {list_text(others)}"
    return f"same {list_text(map(role_title, common))} as {list_text(others)}"


def with_warnings(row: CohortRow, texts: Sequence[str]) -> CohortRow:
    """A row with further warnings."""
    return replace(row, warnings=joined((*row.warning_list, *texts)))
