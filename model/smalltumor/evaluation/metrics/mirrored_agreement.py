"""Whether two masks would agree if one of them were mirrored."""

from __future__ import annotations

from dataclasses import dataclass

from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.mirroring import mirrored
from smalltumor.labels.masks import Mask

DISAGREEING = 0.5
"""Dice below which masks are compared mirrored as well."""

GAIN = 0.3
"""Least gain of Dice by mirroring. A tumour near the midsagittal plane gains less."""


@dataclass(frozen=True)
class MirroredAgreement:
    """The agreement of a mask with the mirror image of another.

    Parameters
    ----------
    mirroring : str
        One of `smalltumor.geometry.mirroring.MIRRORINGS`.
    dice : float
        Of the mirrored mask.
    dice_as_is : float
    """

    mirroring: str
    dice: float
    dice_as_is: float

    def __str__(self) -> str:
        return (
            f"a Dice of {self.dice:.2f} mirrored {self.mirroring}, and {self.dice_as_is:.2f} as is"
        )


def mirrored_agreement(mask: Mask, other: Mask, grid: Grid) -> MirroredAgreement | None:
    """Find the mirroring by which two masks agree that do not agree as they are.

    Parameters
    ----------
    mask, other : (i, j, k) bool array
    grid : Grid

    Returns
    -------
    MirroredAgreement or None
        None if their Dice is at least `DISAGREEING`, or no mirroring adds `GAIN`.
    """
    as_is = dice(mask, other)
    if as_is >= DISAGREEING:
        return None
    found = [
        MirroredAgreement(name, dice(image, other), as_is) for name, image in mirrored(mask, grid)
    ]
    best = max(found, key=lambda each: each.dice)
    return best if best.dice >= as_is + GAIN else None
