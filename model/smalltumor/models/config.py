"""The size of a network. Reading it from a checkpoint does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from smalltumor.errors import CheckpointError

Norm = Literal["batch", "instance"]
_MAX_SIZE = 4096


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the network; the defaults are those of the paper.

    Parameters
    ----------
    in_channels : int
        Modalities of the input.
    classes : int
        Tissue classes of the output, background included.
    width : int
        Channels of the stem and of the last decoder (n).
    channels : int
        Channels of the first encoder (C). The second has 2 C; the third has 3 C and outputs 2 C.
    groups : int
        Fibers: groups of the 3x3x3 and 3x3x1 convolutions (g).
    norm : {"batch", "instance"}
        Normalisation before every convolution; the paper uses ``batch``.

    Raises
    ------
    CheckpointError
        If a size is not a whole number from 1 to 4096, or the groups do not divide the channels.
    """

    in_channels: int = 4
    classes: int = 4
    width: int = 32
    channels: int = 128
    groups: int = 16
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        for name in ("in_channels", "classes", "width", "channels", "groups"):
            size = getattr(self, name)
            if type(size) is not int or not 1 <= size <= _MAX_SIZE:
                raise CheckpointError(
                    f"network size {name} = {size!r} is not a whole number from 1 to {_MAX_SIZE}"
                )
        if self.norm not in get_args(Norm):
            raise CheckpointError(f"unknown norm {self.norm!r}; known are {get_args(Norm)}")
        if self.width % self.groups or self.channels % self.groups:
            raise CheckpointError(
                f"{self.groups} groups do not divide width {self.width} "
                f"and channels {self.channels}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Create a config from `to_dict`'s result.

        Raises
        ------
        CheckpointError
            If a field is unknown or missing, or has a value that is not allowed.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise CheckpointError(
                f"network size has fields {sorted(values)}, but should have {sorted(known)}"
            )
        return cls(**values)
