"""Label schemes: the integers by which files store the tissue classes.

numpy is imported where it is used, so that the command line's help, which lists the schemes, loads
instantly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING

from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.regions import TissueClass
from smalltumor.text import list_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from smalltumor.labels.masks import Classes

_LISTED = 8
"""Values that a message lists; an image that is taken for labels has thousands."""


@dataclass(frozen=True)
class LabelScheme:
    """The integers that a file uses for the three tumour classes; background is always 0.

    Parameters
    ----------
    name : str
        Such as ``brats2023``.
    ncr, ed, et : int
        Stored values of necrotic or non-enhancing core, edema, and enhancing tumour; 0 if the
        scheme does not tell a class from the background.
    others : mapping of int to TissueClass
        Further values that files have, and the classes they are read as.
    """

    name: str
    ncr: int
    ed: int
    et: int
    others: Mapping[int, TissueClass] = field(default_factory=dict)

    @property
    def values(self) -> tuple[int, int, int, int]:
        """Stored value of each tissue class, in class order."""
        return (0, self.ncr, self.ed, self.et)

    @property
    def classes(self) -> dict[int, TissueClass]:
        """Tissue class of each value, ascending by value."""
        own = {value: tissue for tissue, value in zip(TissueClass, self.values, strict=True)}
        return dict(sorted({**own, 0: TissueClass.BACKGROUND, **self.others}.items()))

    @property
    def known_classes(self) -> tuple[TissueClass, ...]:
        """The tissue classes that the scheme tells apart, in class order."""
        return tuple(sorted(set(self.classes.values())))

    def encode(self, classes: npt.NDArray[np.integer]) -> Classes:
        """Convert tissue classes to stored values, uint8 of the same shape and order in memory.

        Raises
        ------
        IndexError
            If a value is not a tissue class.
        """
        import numpy as np

        if classes.size and not 0 <= classes.min() <= classes.max() < len(self.values):
            raise IndexError("values that are not tissue classes")
        stored = classes.astype(np.uint8)
        # One by one: a table that is indexed by voxels takes ten times as long.
        for tissue, value in enumerate(self.values):
            if value != tissue:
                stored[classes == tissue] = value
        return stored

    def decode(self, stored: npt.NDArray[np.generic]) -> Classes:
        """Convert stored values to tissue classes, uint8 of the same shape and order in memory.

        Raises
        ------
        LabelError
            If a value is not one of the scheme's.
        """
        import numpy as np

        unknown = set(integer_values(stored)) - set(self.classes)
        if unknown:
            raise LabelError(
                f"label values {_listing(unknown)} are not in the scheme {self.name} "
                f"({_listing(self.classes)})"
            )
        decoded = np.zeros_like(stored, dtype=np.uint8)
        for value, tissue in self.classes.items():
            if tissue != TissueClass.BACKGROUND:
                decoded[stored == value] = tissue
        return decoded


_BRATS2018 = LabelScheme("brats2018", ncr=1, ed=2, et=4)  # BraTS 2017 to 2022
_BRATS2023 = LabelScheme("brats2023", ncr=1, ed=2, et=3)  # BraTS from 2023
_MSD = LabelScheme("msd", ncr=2, ed=1, et=3)  # Task01 of the Medical Segmentation Decathlon
# BraTS 2012 to 2016 tell necrosis, 1, from non-enhancing core, 3.
_BRATS2013 = LabelScheme("brats2013", ncr=1, ed=2, et=4, others={3: TissueClass.NCR})
# Post-treatment gliomas from 2024, metastases from 2025: 4 is the resection cavity.
_BRATS2024 = LabelScheme("brats2024", ncr=1, ed=2, et=3, others={4: TissueClass.BACKGROUND})
# Children from 2024: non-enhancing tumour is 2 and cystic component 3; both are tumour core.
_PED2024 = LabelScheme("brats2024-ped", ncr=2, ed=4, et=1, others={3: TissueClass.NCR})
# HD-GLIO tells FLAIR hyperintensity, 1, and enhancing tumour, 2, but no necrosis.
_HD_GLIO = LabelScheme("hd-glio", ncr=0, ed=1, et=2)

SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (_BRATS2018, _BRATS2023, _MSD)}
)
"""The label schemes that files are written in, by name."""

READ_SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {**SCHEMES, **{s.name: s for s in (_BRATS2013, _BRATS2024, _PED2024, _HD_GLIO)}}
)
"""The label schemes that files are read in, by name."""

DEFAULT_SCHEME = _BRATS2018.name
"""The scheme that label files are written in unless the user chooses another."""

_SHORT_NAMES = {TissueClass.NCR: "nc", TissueClass.ED: "ed", TissueClass.ET: "et"}
"""In names of schemes: NIfTI has 15 characters for one in its header."""


def with_classes(scheme: LabelScheme, known: Collection[TissueClass]) -> LabelScheme:
    """A scheme with the same values, of a file that tells only some classes from the background.

    Parameters
    ----------
    scheme : LabelScheme
        One of `SCHEMES`.
    known : collection of TissueClass

    Returns
    -------
    LabelScheme
        For the header: of a name such as ``brats2018-ed-et``. The scheme itself if all classes of
        tumour are known, or none.
    """
    names = [name for tissue, name in _SHORT_NAMES.items() if tissue in known]
    if len(names) in (0, len(_SHORT_NAMES)):
        return scheme
    ncr, ed, et = (scheme.values[tissue] * (tissue in known) for tissue in _SHORT_NAMES)
    return replace(scheme, name="-".join((scheme.name, *names)), ncr=ncr, ed=ed, et=et)


_WITH_SOME_CLASSES = {
    with_classes(scheme, known).name: (scheme, known)
    for scheme in SCHEMES.values()
    for count in (1, 2)
    for known in combinations(_SHORT_NAMES, count)
}


def scheme_of_header(name: str, values: Iterable[int] = ()) -> LabelScheme | None:
    """The scheme that the header of a label file names; None if it is none of `READ_SCHEMES`.

    Parameters
    ----------
    name : str
        Of one of these, or as of `with_classes`.
    values : iterable of int
        Values of the file. Another program may have added a class: its value then means what it
        does in the whole scheme.
    """
    if name not in _WITH_SOME_CLASSES:
        return READ_SCHEMES.get(name)
    scheme, known = _WITH_SOME_CLASSES[name]
    added = {scheme.classes[value] for value in values if value in scheme.classes}
    return with_classes(scheme, {*known, *added})


def whole_scheme(name: str) -> LabelScheme | None:
    """The scheme of `scheme_of_header` with all of its classes."""
    scheme, _ = _WITH_SOME_CLASSES.get(name, (READ_SCHEMES.get(name), ()))
    return scheme


_MAX_COUNTED = 2**16
"""Values up to this are counted, which is ten times as fast as sorting them."""

_OF_MASKS = {1}
"""Values other than 0 of the masks of regions."""

_OF_ONE_NAMING: Mapping[str, tuple[LabelScheme, ...]] = MappingProxyType(
    {
        _BRATS2023.name: (_BRATS2023, _BRATS2024),
        _PED2024.name: (_PED2024, _BRATS2023),  # BraTS-PED of 2023 has the scheme of adults
    }
)
"""Schemes whose files are named alike, by the hint that their names give."""


def detect_scheme(values: Iterable[int], hint: str | None = None) -> LabelScheme:
    """Find the scheme of a label volume.

    Values alone rarely tell: 4 is enhancing tumour until 2022, then a resection cavity, or a
    child's edema. A scheme is found if the names of the files suggest it and it has these values,
    or if all schemes that have them give them the same meaning. Otherwise the user has to name it.

    A 1 alone is most often the mask of a region, such as the whole tumour, whatever the files are
    named after; no tumour is necrosis alone. HD-GLIO's 1 alone is a tumour that does not enhance.
    Masks of regions have no 2, 3 or 4: these alone are classes, such as edema without enhancement.

    Parameters
    ----------
    values : iterable of int
        Distinct values, as from `integer_values`.
    hint : str, optional
        Name of the scheme that goes with the names of the case's files.

    Raises
    ------
    LabelError
        If no scheme has these values, several have and differ, the hint is another scheme, or 1
        is the only value.
    """
    present = set(values) - {0}
    fitting = [s for s in READ_SCHEMES.values() if present <= set(s.classes)]
    if not fitting:
        raise LabelError(
            f"label values {_listing(present)} fit no scheme; known are "
            + "; ".join(f"{s.name} ({_listing(s.classes)})" for s in READ_SCHEMES.values())
        )
    if present == _OF_MASKS and hint != _HD_GLIO.name:
        raise LabelError(
            "label value 1 alone does not tell its meaning: it may be the mask of a region, such "
            "as the whole tumour",
            Remedy(Action.NAME_REGION),
        )
    hinted = () if hint is None else _OF_ONE_NAMING.get(hint) or (READ_SCHEMES[hint],)
    likely = [s for s in hinted if s in fitting] or ([] if hinted and present else fitting)
    if likely and all(_agree(likely[0], s, present) for s in likely):
        return likely[0]
    names = [f"{s.name} ({_meanings(s, present)})" for s in likely or fitting]
    raise LabelError(
        f"label values {_listing(present)} fit {list_text(names)}"
        + (", which differ" if likely else f", but the files are named as those of {hint}"),
        Remedy(Action.NAME_SCHEME),
    )


def _meanings(scheme: LabelScheme, values: Iterable[int]) -> str:
    """What some values stand for, such as ``1 NCR, 2 ED, 4 ET``; ``RC`` is the cavity."""
    short = {tissue: tissue.name for tissue in TissueClass} | {TissueClass.BACKGROUND: "RC"}
    return ", ".join(f"{value} {short[scheme.classes[value]]}" for value in sorted(values))


def _agree(first: LabelScheme, second: LabelScheme, values: Iterable[int]) -> bool:
    return all(first.classes[value] == second.classes[value] for value in values)


WHOLE_TOLERANCE = 0.01
"""Largest distance of a stored label from a whole number; ``scl_slope`` causes 1.0000153."""


def integer_values(stored: npt.NDArray[np.generic]) -> list[int]:
    """List the distinct values of a label volume, ascending.

    Raises
    ------
    LabelError
        If a value is fractional, negative or not finite.
    """
    import numpy as np

    array = np.asarray(stored)
    if array.size == 0:
        return []
    counted = array.dtype.kind in "ui" and array.min() >= 0 and array.max() <= _MAX_COUNTED
    values = np.flatnonzero(np.bincount(array.ravel(order="K"))) if counted else np.unique(array)
    if not np.all(np.isfinite(values)) or np.any(values != np.floor(values)) or np.any(values < 0):
        raise LabelError(
            f"label values {_listing(values[:8])} are not whole numbers from 0 up; if the mask was "
            "resampled, do it again with nearest neighbours, and save it as a label map"
        )
    return [int(v) for v in values]


def _listing(values: Iterable[object]) -> str:
    """The values in ascending order; of many, the first ones and how many there are."""
    listed = sorted(values, key=float)  # type: ignore[arg-type]
    if len(listed) <= _LISTED:
        return ", ".join(map(str, listed))
    return f"{', '.join(map(str, listed[:_LISTED]))}, ... ({len(listed)} values)"
