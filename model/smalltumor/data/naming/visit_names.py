"""Names of folders that say which visit or kind of files it is, and not of whom."""

from __future__ import annotations

import re

_VISIT = re.compile(
    r"(pre|post|intra)[-_ ]?(op|operative|operation|surgery|treatment|therapy|rt|chemo)?"
    r"|baseline|initial|first|second|third|last|latest|before|after"
    r"|(visit|session|ses|time[-_ ]?point|tp|day|week|month|year|follow[-_ ]?up|fu)[-_ ]?\d*"
    r"|\d{4}[-_.]\d{2}[-_.]\d{2}"
    r"|images?|nifti|nii|anat|raw|converted|preprocessed|registered",
    re.IGNORECASE,
)


def is_visit_name(name: str) -> bool:
    """Whether a folder of any patient may have a name, such as ``pre``, ``week-000``, ``nifti``."""
    return _VISIT.fullmatch(name) is not None
