"""Masks that a network made: a Dice against them favours that network."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from smalltumor.data.made_by import MadeBy


@dataclass(frozen=True)
class NetworkMasks:
    """What made those masks of some cases that a network made.

    Parameters
    ----------
    cases : int
        Number of all the cases.
    of_start : tuple of MadeBy
        Masks of the weights that a run starts from, or of those that these were trained from.
    of_others : tuple of MadeBy
        Masks of other networks, or of networks that their files do not name.
    """

    cases: int
    of_start: tuple[MadeBy, ...] = ()
    of_others: tuple[MadeBy, ...] = ()

    @classmethod
    def among(cls, masks: Iterable[MadeBy | None], digests: Collection[str]) -> NetworkMasks:
        """Find the masks of networks.

        Parameters
        ----------
        masks : iterable of MadeBy or None
            What made the mask of each case.
        digests : collection of str
            SHA-256 of the weights that the run starts from, and of those before them.
        """
        masks = list(masks)
        known = [mask for mask in masks if mask is not None and mask.is_from_network]
        of_start = tuple(mask for mask in known if _is_of(mask, digests))
        return cls(len(masks), of_start, tuple(mask for mask in known if mask not in of_start))

    @property
    def as_validation(self) -> str:
        """What this means where the cases validate; empty if no network made a mask."""
        others, those = "another or an unknown network", "that network"
        if len(self.of_others) > 1:
            others, those = "other or unknown networks", "those networks"
        return " ".join(
            f"{_which(masks, self.cases, 'validation')} of {network}: this Dice favours {favoured}."
            for masks, network, favoured in (
                (self.of_start, "the starting weights", "the starting weights"),
                (self.of_others, others, those),
            )
            if masks
        )

    @property
    def as_training(self) -> str:
        """What this means where the cases train; empty if no network made a mask."""
        masks = (*self.of_start, *self.of_others)
        if not masks:
            return ""
        which = _which(masks, self.cases, "training")
        return f"{which} of a network: what was not corrected is learnt as if it were right."


def _is_of(mask: MadeBy, digests: Collection[str]) -> bool:
    return bool(mask.digest) and any(digest.startswith(mask.digest) for digest in digests)


def _which(masks: Collection[MadeBy], cases: int, use: str) -> str:
    """As in "3 of 4 validation masks are corrected results"."""
    corrected = all(mask.is_edited for mask in masks)
    if len(masks) == 1:
        one = "a corrected result" if corrected else "a result"
        which = f"The {use} mask" if cases == 1 else f"1 of {cases} {use} masks"
        return f"{which} is {one}"
    results = "corrected results" if corrected else "results"
    return f"{len(masks)} of {cases} {use} masks are {results}"
