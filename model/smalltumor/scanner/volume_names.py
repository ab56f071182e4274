"""Whether names of volumes tell that these are the sequences of one scan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from smalltumor.data.volumes.nifti import stem

_SAY_NOTHING = re.compile(
    r"t[12](?:w|ce|c|n|f|gd|gad|post|km|wi)?|flair|fla|fl|tirm|pd|adc|dwi|c|ce|ct1|gd|gad|gado\w*"
    r"|km|nativ\w*|native|pre|post|contrast|postcontrast|with|without|no|wo|enhanced|none"
    r"|ax|axial|tra|sag|cor|obl|iso|[23]d|mpr|mp2?rage|tse|fse|frfse|se|spc|space|cube|vista|tfe|tfl"
    r"|ffe|gre|spgr|fspgr|bravo|vibe|fs|fatsat|dark|fluid|image|img|vol|volume|brain|head|nii"
    r"|hdbet|synthstrip|robex|stripped|skull(?:strip(?:ped)?)?|deskulled|n4|biascorrected"
)
"""Words of a sequence, how it was acquired or processed, and images in general."""

_WORD = re.compile(r"[^\W_]+")


def is_of_sequence(word: str) -> bool:
    """Whether a word tells a sequence or how it was acquired, and nothing of the patient."""
    return _SAY_NOTHING.fullmatch(word.lower()) is not None


def without_sequence(path: Path) -> tuple[str, ...]:
    """The words of a file's name that are not those of a sequence: names and numbers of a scan."""
    words = _WORD.findall(stem(path))
    return tuple(word for word in words if not is_of_sequence(word))


def differ_only_in_sequence(files: Iterable[Path]) -> bool:
    """Whether the names of volumes are equal but for words of their sequences.

    Names such as ``Anna_t1.nii.gz`` and ``Bert_t2.nii.gz`` may be of two patients.
    """
    words = (without_sequence(path) for path in files)
    return len({tuple(map(str.lower, each)) for each in words}) <= 1
