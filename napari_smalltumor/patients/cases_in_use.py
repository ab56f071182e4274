"""Cases whose images a run reads or replaces.

No other run replaces or reads them meanwhile, and the user is asked before the patient is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.data.case import Case

from napari_smalltumor.layers.metadata import same_case
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True, eq=False)
class CaseUse:
    """What is done with a case at present.

    Parameters
    ----------
    case : Case
    name : str
        A participle, such as ``segmented``.
    cancel : callable or None
        Cancels it. None if it goes on when the patient is closed.
    """

    case: Case
    name: str
    cancel: Callable[[], None] | None = None


_USES: WeakKeyDictionary[ViewerModel, list[CaseUse]] = WeakKeyDictionary()


def use_case(
    viewer: ViewerModel, case: Case, name: str, *, cancel: Callable[[], None] | None = None
) -> Callable[[], None]:
    """Mark a case as in use.

    Parameters
    ----------
    viewer : ViewerModel
    case, name, cancel
        As for `CaseUse`.

    Returns
    -------
    callable
        Ends the use; it may be called more than once.
    """
    uses = _USES.setdefault(unproxied(viewer), [])
    use = CaseUse(case, name, cancel)
    uses.append(use)

    def end() -> None:
        uses[:] = [each for each in uses if each is not use]

    return end


def use_of(viewer: ViewerModel, case: Case) -> CaseUse | None:
    """What is done with a case at present; None if nothing is."""
    uses = _USES.get(unproxied(viewer), [])
    return next((use for use in uses if same_case(use.case, case)), None)
