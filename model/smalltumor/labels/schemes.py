"""Label schemes: the integers in which files store the tissue classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import (
    SCHEME_VALUES,
)


@dataclass(frozen=True)
class LabelScheme:
    """The integers a file uses for the three tumour classes; background is always 0.

    Parameters
    ----------
    name : str
        Such as ``brats2023``.
    ncr, ed, et : int
        Stored values of necrotic or non-enhancing core, edema, and enhancing tumour.
    """

    name: str
    ncr: int
    ed: int
    et: int

    @property
    def values(self) -> tuple[int, int, int, int]:
        """Stored value of each tissue class, in class order."""
        return (0, self.ncr, self.ed, self.et)

    def encode(self, classes: npt.NDArray[np.integer]) -> Classes:
        """Tissue classes to stored values, uint8, same shape."""
        return np.take(np.asarray(self.values, dtype=np.uint8), classes)

    def decode(self, stored: npt.NDArray[np.generic]) -> Classes:
        """Stored values to tissue classes, uint8, same shape.

        Raises
        ------
        LabelError
            If a value is not one of the scheme's.
        """
        stray = set(whole_values(stored)) - set(self.values)
        if stray:
            raise LabelError(
                f"label values {_listing(stray)} are not in the scheme {self.name} "
                f"({_listing(self.values)})"
            )
        table = np.zeros(max(self.values) + 1, dtype=np.uint8)
        for tissue, value in enumerate(self.values):
            table[value] = tissue
        whole = stored if stored.dtype == np.uint8 else stored.astype(np.intp)
        return np.take(table, np.asarray(whole, dtype=whole.dtype))


SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {name: LabelScheme(name, *values) for name, values in SCHEME_VALUES.items()}
)


def detect_scheme(values: Iterable[int], hint: str | None = None) -> LabelScheme:
    """The scheme a label volume is stored in.

    A 4 speaks for ``brats2018``. A 3 is shared by ``brats2023`` and ``msd``, whose 1 and 2 are
    exchanged, so the hint (from how the case's files are named) has to decide. Without 3 and 4
    the volume has no enhancing tumour and the hint alone decides. Values and hint that
    contradict each other are for the user to settle: from BraTS 2024 on, 4 is a resection
    cavity.

    Parameters
    ----------
    values : iterable of int
        Values present, as from `whole_values`.
    hint : str, optional
        Name of the scheme that goes with the case's naming.

    Raises
    ------
    LabelError
        If no scheme holds these values, several do and there is no hint, or the hint is
        another one.
    """
    present = set(values) - {0}
    fitting = [s for s in SCHEMES.values() if present <= set(s.values)]
    if not fitting:
        raise LabelError(
            f"label values {_listing(present)} fit no scheme; known are "
            + "; ".join(f"{s.name} ({_listing(s.values)})" for s in SCHEMES.values())
        )
    by_name = {s.name: s for s in fitting}
    if hint in by_name:
        return by_name[hint]
    if not present or (len(fitting) == 1 and hint not in SCHEMES):
        return fitting[0]
    raise LabelError(
        f"label values {_listing(present)} fit {' and '.join(by_name)}"
        + (f", but the files are named as those of {hint}" if hint else ", which differ"),
        Remedy(Action.NAME_SCHEME),
    )


def whole_values(stored: npt.NDArray[np.generic]) -> list[int]:
    """Distinct values of a label volume, ascending.

    Raises
    ------
    LabelError
        If there is a fraction, a negative or a non-finite value.
    """
    array = np.asarray(stored)
    found = (
        np.flatnonzero(np.bincount(array.ravel())) if array.dtype == np.uint8 else np.unique(array)
    )
    if not np.all(np.isfinite(found)) or np.any(found != np.floor(found)) or np.any(found < 0):
        raise LabelError(f"label values {_listing(found[:8])} are not whole numbers from 0 up")
    return [int(v) for v in found]


def _listing(values: Iterable[object]) -> str:
    return ", ".join(str(v) for v in sorted(values, key=float))  # type: ignore[arg-type]
