"""Tissue classes, tumour regions and label schemes: names, values and colours.

Without numpy, so that the command line's help loads instantly.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

SMALL_LESION_VOXELS = 2000
"""Components with fewer voxels than this are small (Ngo et al. 2020, section 3)."""


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

SCHEME_VALUES: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"brats2018": (1, 2, 4), "brats2023": (1, 2, 3), "msd": (2, 1, 3)}
)
"""Stored values of NCR, ED and ET: BraTS until 2022; BraTS from 2023; Task01 of the Medical
Segmentation Decathlon, where necrosis and edema are exchanged."""

DEFAULT_SCHEME = "brats2018"
