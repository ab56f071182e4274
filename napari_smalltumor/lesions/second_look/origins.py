"""Where the candidates of a segmentation come from: a result of the network, or files beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from smalltumor.second_look import LesionGrower, SecondLook, StoredCandidates, score_warning

from napari_smalltumor.layers.metadata import role_of

if TYPE_CHECKING:
    from napari.layers import Labels
    from smalltumor.data.case import Case
    from smalltumor.data.midsagittal_plane import MidsagittalPlane

FIRST_ID = 1_000_000
"""`id` of the first candidate, above those of all components of a mask."""


@dataclass(frozen=True)
class FoundCandidates:
    """The candidates that an origin has for a case.

    Parameters
    ----------
    grower : LesionGrower or None
        Grows lesions at clicks; None if that is impossible, see `SecondLook.of`.
    candidates : list of Lesion
        The likeliest first.
    score_warning : str
        Why their scores may not hold; empty if they do.
    """

    grower: LesionGrower | None
    candidates: list[Lesion]
    score_warning: str = ""


@dataclass(frozen=True, eq=False)
class CandidateSearch:
    """What an origin needs to find the candidates of a case.

    Parameters
    ----------
    case : Case
        That of the segmentation.
    known : LesionGrower or None
        The grower that the origin has given before.
    threshold : float
        Candidates below this volume in mm3 are small.
    plane : callable
        Finds the midsagittal plane of the brain, or None.
    """

    case: Case
    known: LesionGrower | None
    threshold: float
    plane: Callable[[], MidsagittalPlane | None]


class CandidateOrigin(Protocol):
    """Where the candidates of a segmentation come from."""

    @property
    def key(self) -> object:
        """The object that tells it from other origins."""

    @property
    def problem(self) -> str:
        """Why it has no candidates, in a sentence; empty if it may have some."""

    def find(self, search: CandidateSearch) -> FoundCandidates:
        """Find or read the candidates, in a worker."""


@dataclass(frozen=True, eq=False)
class NetworkOrigin:
    """A result of the network that is in memory, with its probabilities."""

    key: Segmentation
    problem: str = ""

    def find(self, search: CandidateSearch) -> FoundCandidates:
        """Find the candidates; see `CandidateOrigin`."""
        result, known = self.key, search.known
        assert result.cropped is not None
        look = (
            known if isinstance(known, SecondLook) else SecondLook.of(search.case, result.cropped)
        )
        if look is None:
            return FoundCandidates(None, [])
        candidates = look.candidates(
            result.mask(Region.ET),
            first_id=FIRST_ID,
            threshold=search.threshold,
            plane=search.plane(),
        )
        return FoundCandidates(look, candidates, score_warning(result, look.parameters) or "")


@dataclass(frozen=True, eq=False)
class StoredOrigin:
    """Files in which the run of a cohort has stored the candidates of a case."""

    key: StoredCandidates

    @property
    def problem(self) -> str:
        """Why the files cannot be used; see `CandidateOrigin`."""
        return self.key.problem

    def find(self, search: CandidateSearch) -> FoundCandidates:
        """Give the candidates that were read; see `CandidateOrigin`."""
        stored = self.key
        grower = search.known or LesionGrower.beside(search.case, stored.mask.classes)
        candidates = stored.lesions(
            first_id=FIRST_ID, threshold=search.threshold, plane=search.plane()
        )
        return FoundCandidates(grower, candidates, stored.score_warning)


def origin_of(layer: Labels | None) -> CandidateOrigin | None:
    """Where candidates beside the mask in a layer of ET come from; None if there are none.

    A result of the network takes the place of what was stored.
    """
    role = role_of(layer) if layer is not None else None
    if role is None:
        return None
    if role.result is not None and isinstance(role.result.cropped, CroppedProbabilities):
        return NetworkOrigin(role.result)
    return None if role.candidates is None else StoredOrigin(role.candidates)
