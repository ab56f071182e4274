"""Cases that show the same images under different names, as copies do between collections.

BraTS 2021 holds scans of earlier years and of UPENN-GBM under new names. If one copy is trained on
and another validates, the scores are too good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from smalltumor.data.case import REFERENCE
from smalltumor.data.identity.image_digests import (
    blocks_in,
    digests_of_images,
    digests_of_t1ce,
    joined_blocks,
)
from smalltumor.data.identity.patients import patient_key, patient_of
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.read_case import read_case_files
from smalltumor.errors import SmalltumorError
from smalltumor.models.card import blocks_trained_on
from smalltumor.training.data.dataset import LabelledCase
from smalltumor.training.data.pack import PackedCase


def t1ce_digests(cases: Iterable[LabelledCase]) -> dict[str, str]:
    """`t1ce_digest` of each case, by name; those of cases of one name are joined."""
    blocks: dict[str, set[str]] = {}
    for case in cases:
        blocks.setdefault(case.name, set()).update(blocks_in([t1ce_digest(case)]))
    return {name: joined_blocks(found) for name, found in blocks.items()}


def joined_digests(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Digests by case; a case that is in both, such as with a new image, has the blocks of both."""
    cases = dict.fromkeys([*first, *second])
    blocks = {case: blocks_in([first.get(case, ""), second.get(case, "")]) for case in cases}
    return {case: joined_blocks(found) for case, found in blocks.items()}


def t1ce_digest(case: LabelledCase) -> str:
    """Digests of blocks of the T1CE, see `smalltumor.data.identity.image_digests.image_digest`.

    Returns
    -------
    str
        Empty if the image cannot be read, or if the pack that holds the case records none.
    """
    if isinstance(case, PackedCase):
        return case.t1ce_digest
    if case.stacked is not None:
        return _of_stacked(case)
    paths = case.modalities.get(REFERENCE, [])
    return digests_of_t1ce(paths[0]).get(REFERENCE, "") if paths else ""


def _of_stacked(files: CaseFiles) -> str:
    try:
        return digests_of_images(read_case_files(files)).get(REFERENCE, "")
    except SmalltumorError:
        return ""  # preparing the case says why


def known_by_images(card: Mapping[str, Any], digests: Mapping[str, str]) -> frozenset[str]:
    """Cases of which a network has seen the images, whatever it knows them as.

    Parameters
    ----------
    card : mapping
        That of the network.
    digests : mapping of str to str
        `t1ce_digest` by case.
    """
    seen = blocks_trained_on(card)
    return frozenset(n for n, digest in digests.items() if not seen.isdisjoint(blocks_in([digest])))


def patients_by_images(
    digests: Mapping[str, str], patients: Mapping[str, str], warn: Callable[[str], None]
) -> dict[str, str]:
    """Patients by case, in which cases with the same T1CE, or a part of it, are of one patient.

    Parameters
    ----------
    digests : mapping of str to str
        `t1ce_digest` by case.
    patients : mapping of str to str
        Patients by case, see `patient_of`.
    warn : callable
        Receives one line of text for each case that is a copy.

    Returns
    -------
    dict of str to str
        `patients`, and every case of a patient that has a copy under the name of another.
    """
    first_with: dict[str, str] = {}
    root: dict[str, str] = {}
    for case in digests:
        for other in _sharing(case, digests, first_with):
            one, two = (_root(root, patient_key(name, patients)) for name in (other, case))
            if one != two:
                root[two] = one
                warn(f"{case} shows the same images as {other}; they count as one patient")
    if not root:
        return dict(patients)
    names = {patient_key(c, patients): patient_of(c, patients) for c in reversed(list(digests))}
    merged = {*root, *root.values()}
    return {**patients} | {
        case: names[_root(root, key)]
        for case in digests
        if (key := patient_key(case, patients)) in merged
    }


def _sharing(case: str, digests: Mapping[str, str], first_with: dict[str, str]) -> Iterable[str]:
    """Earlier cases that share a block of the T1CE with this one; its other blocks are noted."""
    blocks = blocks_in([digests[case]])
    owners = {first_with.setdefault(block, case): None for block in sorted(blocks)}
    return [name for name in owners if name != case]


def _root(root: Mapping[str, str], key: str) -> str:
    while key in root:
        key = root[key]
    return key
