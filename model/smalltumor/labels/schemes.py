"""Label schemes: the integers by which files store the tissue classes.

numpy is imported where it is used, so that the command line's help, which lists the schemes, loads
instantly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from smalltumor.errors import Action, LabelError, Remedy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from smalltumor.labels.masks import Classes


@dataclass(frozen=True)
class LabelScheme:
    """The integers that a file uses for the three tumour classes; background is always 0.

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
        """Convert tissue classes to stored values, uint8 of the same shape."""
        import numpy as np

        return np.take(np.asarray(self.values, dtype=np.uint8), classes)

    def decode(self, stored: npt.NDArray[np.generic]) -> Classes:
        """Convert stored values to tissue classes, uint8 of the same shape.

        Raises
        ------
        LabelError
            If a value is not one of the scheme's.
        """
        import numpy as np

        unknown = set(integer_values(stored)) - set(self.values)
        if unknown:
            raise LabelError(
                f"label values {_listing(unknown)} are not in the scheme {self.name} "
                f"({_listing(self.values)})"
            )
        class_of_value = np.zeros(max(self.values) + 1, dtype=np.uint8)
        for tissue, value in enumerate(self.values):
            class_of_value[value] = tissue
        indices = stored if stored.dtype == np.uint8 else stored.astype(np.intp)
        return np.take(class_of_value, np.asarray(indices, dtype=indices.dtype))


_BRATS2018 = LabelScheme("brats2018", ncr=1, ed=2, et=4)  # BraTS 2018 to 2022
_BRATS2023 = LabelScheme("brats2023", ncr=1, ed=2, et=3)  # BraTS from 2023
_MSD = LabelScheme("msd", ncr=2, ed=1, et=3)  # Task01 of the Medical Segmentation Decathlon

SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (_BRATS2018, _BRATS2023, _MSD)}
)
"""The known label schemes by name."""

DEFAULT_SCHEME = _BRATS2018.name
"""The scheme that label files are written in unless the user chooses another."""


def detect_scheme(values: Iterable[int], hint: str | None = None) -> LabelScheme:
    """Find the scheme of a label volume.

    Only ``brats2018`` has a 4. Both ``brats2023`` and ``msd`` have a 3, and exchange the meaning
    of 1 and 2, so the hint decides between them. Without 3 and 4 the volume has no enhancing
    tumour, and the hint decides as well. If the values contradict the hint, the user has to name
    the scheme: from BraTS 2024 on, 4 is a resection cavity.

    Parameters
    ----------
    values : iterable of int
        Distinct values, as from `integer_values`.
    hint : str, optional
        Name of the scheme that goes with the names of the case's files.

    Raises
    ------
    LabelError
        If no scheme has these values, several have and there is no hint, or the hint is
        another scheme.
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


def integer_values(stored: npt.NDArray[np.generic]) -> list[int]:
    """List the distinct values of a label volume, ascending.

    Raises
    ------
    LabelError
        If a value is fractional, negative or not finite.
    """
    import numpy as np

    array = np.asarray(stored)
    values = (
        np.flatnonzero(np.bincount(array.ravel())) if array.dtype == np.uint8 else np.unique(array)
    )
    if not np.all(np.isfinite(values)) or np.any(values != np.floor(values)) or np.any(values < 0):
        raise LabelError(f"label values {_listing(values[:8])} are not whole numbers from 0 up")
    return [int(v) for v in values]


def _listing(values: Iterable[object]) -> str:
    return ", ".join(str(v) for v in sorted(values, key=float))  # type: ignore[arg-type]
