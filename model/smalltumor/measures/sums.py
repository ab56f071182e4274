"""Sums over the largest measurable lesions (RANO)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smalltumor.lesions import Lesion

TARGET_LESIONS = 5
"""Largest number of lesions in a sum (Wen et al. 2010, doi 10.1200/JCO.2009.26.3541)."""


@dataclass(frozen=True)
class BidimensionalSum:
    """Sums over the measurable lesions with the largest bidimensional products.

    Parameters
    ----------
    lesions : tuple of int
        Their numbers, the largest product first; at most `TARGET_LESIONS`.
    product_mm2 : float
        Sum of the products of both axial diameters.
    longest_mm : float
        Sum of the longest axial diameters.
    ml : float
        Sum of the volumes.
    """

    lesions: tuple[int, ...]
    product_mm2: float
    longest_mm: float
    ml: float

    @classmethod
    def of(cls, lesions: Iterable[Lesion]) -> BidimensionalSum | None:
        """The sums over the largest of some lesions; None if none of them is measurable."""
        measured = [(x, x.axial) for x in lesions if x.axial is not None and x.axial.measurable]
        measured.sort(key=lambda pair: pair[1].product_mm2, reverse=True)
        largest = measured[:TARGET_LESIONS]
        if not largest:
            return None
        return cls(
            tuple(lesion.id for lesion, _ in largest),
            sum(axial.product_mm2 for _, axial in largest),
            sum(axial.longest_mm for _, axial in largest),
            sum(lesion.ml for lesion, _ in largest),
        )
