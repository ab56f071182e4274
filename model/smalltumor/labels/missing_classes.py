"""Why a mask does not tell a region: it has no class for a part of it."""

from __future__ import annotations

from collections.abc import Collection

from smalltumor.labels.regions import CLASS_NAMES, TissueClass
from smalltumor.text import list_text


def missing_classes_text(
    known: Collection[TissueClass], classes: Collection[TissueClass] = tuple(TissueClass)
) -> str:
    """What a mask has in place of some classes, such as "no class for edema".

    Parameters
    ----------
    known : collection of TissueClass
        Classes that the mask tells apart, see `LabelScheme.known_classes`.
    classes : collection of TissueClass
        Those that are asked for.

    Returns
    -------
    str
        Empty if the mask tells all of them.
    """
    missing = [CLASS_NAMES[each] for each in classes if each not in known]
    return f"no class for {list_text(missing, 'or')}" if missing else ""
