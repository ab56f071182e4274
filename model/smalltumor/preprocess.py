"""How a case's intensities become the network's input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from smalltumor.errors import CheckpointError


@dataclass(frozen=True)
class Preprocessing:
    """How a network's input was prepared when it was trained; checkpoints carry it.

    Parameters
    ----------
    channels : tuple of str
        Modalities in the network's channel order.
    lower, upper : float
        Percentiles inside the brain (any modality > 0) that each modality is clipped to.
    multiple : int
        Each axis is padded to a multiple of this.
    margin : int
        Voxels kept around the brain.

    Notes
    -----
    After clipping, each modality has mean 0 and deviation 1 inside the brain; outside it is
    exactly 0, as the padding.
    """

    channels: tuple[str, ...] = ("flair", "t1ce", "t1", "t2")
    lower: float = 0.2
    upper: float = 99.8
    multiple: int = 16
    margin: int = 4

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"channels": list(self.channels)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`; a field that is unknown or missing is an error."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise CheckpointError(
                f"preprocessing has fields {sorted(values)}, but should have {sorted(known)}"
            )
        return cls(**(dict(values) | {"channels": tuple(values["channels"])}))
