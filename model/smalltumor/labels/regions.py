"""Tissue classes and tumour regions: names and colours.

This module does not import numpy, so that the command line's help loads instantly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TypeVar

Part = TypeVar("Part")


class TissueClass(IntEnum):
    """Tissue classes, in the network's channel order."""

    BACKGROUND = 0
    NCR = 1
    ED = 2
    ET = 3


class Region(StrEnum):
    """Regions that BraTS evaluates: ET is part of TC, and TC of WT."""

    ET = "et"
    TC = "tc"
    WT = "wt"


INNERMOST_FIRST = tuple(Region)

REGION_CLASSES: Mapping[Region, tuple[TissueClass, ...]] = MappingProxyType(
    {
        Region.ET: (TissueClass.ET,),
        Region.TC: (TissueClass.NCR, TissueClass.ET),
        Region.WT: (TissueClass.NCR, TissueClass.ED, TissueClass.ET),
    }
)

REGION_NAMES: Mapping[Region, str] = MappingProxyType(
    {Region.ET: "enhancing tumour", Region.TC: "tumour core", Region.WT: "whole tumour"}
)

CLASS_NAMES: Mapping[TissueClass, str] = MappingProxyType(
    {
        TissueClass.BACKGROUND: "resection cavity",
        TissueClass.NCR: "necrosis or non-enhancing core",
        TissueClass.ED: "edema",
        TissueClass.ET: "enhancing tumour",
    }
)
"""What values other than 0 are called."""

CLASS_COLOURS: Mapping[TissueClass, tuple[float, float, float]] = MappingProxyType(
    {
        TissueClass.NCR: (0.86, 0.15, 0.15),
        TissueClass.ED: (0.20, 0.70, 0.30),
        TissueClass.ET: (1.00, 0.85, 0.10),
    }
)
"""RGB in 0..1, as the figures of Ngo et al. 2020: necrosis red, edema green, enhancing yellow."""

REGION_COLOURS: Mapping[Region, tuple[float, float, float]] = MappingProxyType(
    {
        Region.ET: CLASS_COLOURS[TissueClass.ET],
        Region.TC: CLASS_COLOURS[TissueClass.NCR],
        Region.WT: CLASS_COLOURS[TissueClass.ED],
    }
)
"""Each region has the colour of the class that remains visible when all regions are drawn."""

COLOURS_ON_WHITE: Mapping[Region, str] = MappingProxyType(
    {Region.ET: "#9a7b00", Region.TC: "#c01f1f", Region.WT: "#1d8a48"}
)
"""The same hues for lines and bars on white, which a bright yellow could not be told from."""


def known_parts(
    parts: Mapping[Part, Collection[TissueClass]], known: Collection[TissueClass]
) -> tuple[Part, ...]:
    """The parts of a tumour that a mask tells: those of which it tells every class apart.

    Parameters
    ----------
    parts : mapping of a part to its tissue classes
        Such as `REGION_CLASSES`.
    known : collection of TissueClass
        Classes that the mask tells apart, see `LabelScheme.known_classes`.
    """
    return tuple(part for part, classes in parts.items() if set(classes) <= set(known))


_TOLD_BY: Mapping[TissueClass, frozenset[Region]] = MappingProxyType(
    {
        TissueClass.BACKGROUND: frozenset(),
        TissueClass.NCR: frozenset({Region.ET, Region.TC}),
        TissueClass.ED: frozenset({Region.TC, Region.WT}),
        TissueClass.ET: frozenset({Region.ET}),
    }
)
"""The regions by whose masks a class is told apart: it is the one without the other."""


def classes_of_regions(regions: Collection[Region]) -> tuple[TissueClass, ...]:
    """The tissue classes that masks of some regions tell apart, in class order."""
    return tuple(tissue for tissue, needed in _TOLD_BY.items() if needed <= set(regions))


def known_regions(known: Collection[TissueClass]) -> tuple[Region, ...]:
    """The regions that a mask tells, innermost first; with TC it tells ET, and with WT both."""
    return known_parts(REGION_CLASSES, known)
