"""The meanings that the values of a label file can have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smalltumor.labels.regions import CLASS_NAMES, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES, LabelScheme

_DATA_SETS = {
    "brats2018": "BraTS 2017 to 2022",
    "brats2023": "BraTS from 2023",
    "msd": "Medical Segmentation Decathlon",
    "brats2013": "BraTS 2012 to 2016",
    "brats2024": "BraTS after treatment from 2024, metastases from 2025",
    "brats2024-ped": "BraTS of children from 2024",
    "hd-glio": "HD-GLIO",
}


@dataclass(frozen=True)
class SchemeChoice:
    """A meaning that the values of a file can have.

    Parameters
    ----------
    scheme : LabelScheme
    values : tuple of int
        Those in the file, without 0, ascending.
    meaning : str
        What each value is.
    data_sets : str
        Where files have this meaning.
    """

    scheme: LabelScheme
    values: tuple[int, ...]
    meaning: str
    data_sets: str


def scheme_choices(values: Iterable[int]) -> list[SchemeChoice]:
    """The meanings that the values of a label file can have.

    Schemes that give these values the same meaning are one choice.
    """
    present = sorted(set(values) - {0})
    if not present:
        return []
    schemes: dict[tuple[TissueClass, ...], list[LabelScheme]] = {}
    for scheme in READ_SCHEMES.values():
        if set(present) <= set(scheme.classes):
            meaning = tuple(scheme.classes[value] for value in present)
            schemes.setdefault(meaning, []).append(scheme)
    return [
        SchemeChoice(
            alike[0],
            tuple(present),
            ", ".join(f"{v} {CLASS_NAMES[c]}" for v, c in zip(present, meaning, strict=True)),
            "; ".join(_DATA_SETS[scheme.name] for scheme in alike),
        )
        for meaning, alike in schemes.items()
    ]
