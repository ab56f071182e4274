"""Whether the lesion table beside a mask is that of the mask as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.errors import SmalltumorError
from smalltumor.files.tables import read_table

if TYPE_CHECKING:
    from smalltumor.lesions import Lesion

_BOX = tuple(f"box_{axis}_{end}" for axis in "ijk" for end in ("start", "stop"))
_WHOLE = ("voxels", *_BOX)
_IN_MM = ("mm3", "centroid_r_mm", "centroid_a_mm", "centroid_s_mm")
_RELATIVE, _TOLERANCE_MM = 1e-3, 0.05
"""NIfTI stores affines with 32 bits a number."""


def lists_lesions(path: Path, lesions: Sequence[Lesion]) -> bool:
    """Whether a table lists the components of a mask, at their places; False if it is damaged.

    Rows of candidates, and cells of probabilities and decisions, do not count.

    Parameters
    ----------
    path : Path
    lesions : sequence of Lesion
        Components of the mask.
    """
    from smalltumor.lesions import LesionList, lesion_row

    try:
        rows = read_table(path, ("list", *_WHOLE, *_IN_MM))
        found = _numbers(row for row in rows if row["list"] != LesionList.SECOND_LOOK)
        expected = _numbers({k: str(v) for k, v in lesion_row(x).items()} for x in lesions)
    except (SmalltumorError, ValueError):
        return False
    if found.shape != expected.shape:
        return False
    whole = slice(len(_WHOLE))
    return bool(
        np.array_equal(found[:, whole], expected[:, whole])
        and np.allclose(found, expected, rtol=_RELATIVE, atol=_TOLERANCE_MM)
    )


def _numbers(rows: Iterable[Mapping[str, str]]) -> npt.NDArray[np.float64]:
    """Numbers of rows, (n, columns), in an order that does not depend on that of the rows."""
    columns = (*_WHOLE, *_IN_MM)
    table = sorted([float(row[column]) for column in columns] for row in rows)
    return np.asarray(table, dtype=np.float64).reshape(-1, len(columns))
