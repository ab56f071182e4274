"""Cases whose images a run reads or replaces, so that no other run replaces or reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smalltumor.data.case import Case

from napari_smalltumor.layers.metadata import same_case
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel

_USES: WeakKeyDictionary[ViewerModel, list[tuple[Case, str]]] = WeakKeyDictionary()


def use_case(viewer: ViewerModel, case: Case, use: str) -> Callable[[], None]:
    """Mark a case as in use.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    use : str
        What is done with it, as a participle, such as ``segmented``.

    Returns
    -------
    callable
        Ends the use; it may be called more than once.
    """
    uses = _USES.setdefault(unproxied(viewer), [])
    entry = (case, use)
    uses.append(entry)

    def end() -> None:
        uses[:] = [each for each in uses if each is not entry]

    return end


def use_of(viewer: ViewerModel, case: Case) -> str | None:
    """What is done with a case at present; None if nothing is."""
    uses = _USES.get(unproxied(viewer), [])
    return next((use for other, use in uses if same_case(other, case)), None)
