"""Which label scheme goes with the names that a data set gives its files."""

from __future__ import annotations

import re
from collections.abc import Set

_OF_DATASET = tuple(
    (re.compile(pattern, re.IGNORECASE), scheme)
    for pattern, scheme in (
        (r"BraTS[-_]PEDs?[-_]", "brats2024-ped"),
        (r"BraTS[-_](GLI|MET|MEN|SSA|GoAT)[-_]", "brats2023"),
        (r"(BraTS(17|18|19|20|2021|Reg)|UPENN-GBM|UCSF-PDGM|TCGA)[-_]", "brats2018"),
        (r"VSD\.Brain", "brats2013"),
        (r"BRATS_\d{3}$", "msd"),
        (r".*hd[-_]glio", "hd-glio"),
        (r"\d{6}_time\d", None),  # UCSF-ALPTDG, after treatment, has the keywords of BraTS 2021
    )
)
"""Beginnings of case names, and the label schemes of their data sets."""

_BRATS_2023_KEYWORDS = frozenset(("t1n", "t2f"))
_BRATS_2018_KEYWORD = "t1ce"


def scheme_of_names(case: str, keywords: Set[str] = frozenset()) -> str | None:
    """Find the label scheme that goes with the names of a case's files.

    Parameters
    ----------
    case : str
        Name of the case.
    keywords : set of str
        What the names have for the modalities, lower case.

    Returns
    -------
    str or None
        Name of the scheme, a hint for `smalltumor.labels.schemes.detect_scheme`; None if the names
        do not tell or contradict each other, as those of BraTS 2023 with ``t1ce`` do.
    """
    of_keywords = _of_keywords(keywords)
    matches = [scheme for pattern, scheme in _OF_DATASET if pattern.match(case)]
    if not matches:
        return of_keywords
    of_dataset = matches[0]
    later = of_dataset in ("brats2023", "brats2024-ped")
    contradicting = of_keywords == ("brats2018" if later else "brats2023")
    return None if contradicting else of_dataset


def _of_keywords(keywords: Set[str]) -> str | None:
    if keywords & _BRATS_2023_KEYWORDS:
        return "brats2023"
    return "brats2018" if _BRATS_2018_KEYWORD in keywords else None
