"""What made a mask, as the files of masks record it: the network, and whether it was edited.

The record is a comment in the header of the file, beside that of
`smalltumor.data.identity.image_digests`. It holds no path and no name of a person. Programs that
change a mask may keep its header; so it also holds what tells the labels and their place, see
`smalltumor.data.label_digest`, and a mask with others counts as edited.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy.typing as npt

from smalltumor.data.label_digest import LabelsRecord
from smalltumor.data.naming.case_files import MODALITIES, modality_titles
from smalltumor.data.volumes.nifti import Volume
from smalltumor.files.damaged import DAMAGED
from smalltumor.geometry.grid import Grid
from smalltumor.version import PACKAGE

AlgorithmType = Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]
"""DICOM's Segment Algorithm Type: as a network gave it, edited by people, drawn by people."""

_KEY = "smalltumor_made_by_2"
"""The number is the version of the record. The first is not read: it lacked the labels' place."""
_DIGITS = 16
_SHOWN_DIGITS = 8
_MAX_NAME_LENGTH = 64  # as a long string of DICOM

SEEN_IN_TRAINING = (
    "the weights were trained on this patient (by name or images): results on others are worse"
)
"""The warning of a mask whose network has seen the patient before."""


@dataclass(frozen=True)
class MadeBy:
    """What made a mask; a text is empty if unknown.

    Parameters
    ----------
    algorithm_type : {"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"}
    weights : str
        Name of the weights in their card.
    digest : str
        First 16 digits of the SHA-256 of the file of the weights.
    version : str
        Of this package, when the network ran.
    missing : tuple of str
        Modalities that the network was trained on and did not see.
    seen_in_training : bool
        Whether the network is known to have been trained on the patient.
    """

    algorithm_type: AlgorithmType
    weights: str = ""
    digest: str = ""
    version: str = ""
    missing: tuple[str, ...] = ()
    seen_in_training: bool = False

    @classmethod
    def network(
        cls,
        weights: str,
        digest: str,
        version: str,
        missing: Iterable[str] = (),
        *,
        seen_in_training: bool = False,
    ) -> MadeBy:
        """A mask as a network gave it; `digest` is of any length."""
        return cls(
            algorithm_type="AUTOMATIC",
            weights=_printable(weights),
            digest=digest[:_DIGITS],
            version=version,
            missing=tuple(missing),
            seen_in_training=seen_in_training,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> MadeBy:
        """Read `as_json`; raises what `DAMAGED` lists."""
        algorithm_type = content["algorithm_type"]
        if algorithm_type not in get_args(AlgorithmType):
            raise ValueError(f"{algorithm_type} is no algorithm type")
        keys = ("weights", "weights_sha256", "version")
        weights, digest, made_in = (_printable(content.get(key) or "") for key in keys)
        lacking = content.get("missing_sequences") or ()
        missing = tuple(modality for modality in MODALITIES if modality in lacking)
        return cls(
            algorithm_type=algorithm_type,
            weights=weights,
            digest=digest,
            version=made_in,
            missing=missing,
            seen_in_training=content.get("seen_in_training") is True,
        )

    @property
    def edited(self) -> MadeBy:
        """The same after edits."""
        if not self.is_unedited:
            return self
        return replace(self, algorithm_type="SEMIAUTOMATIC")

    @property
    def is_unedited(self) -> bool:
        """Whether it is as the network gave it."""
        return self.algorithm_type == "AUTOMATIC"

    @property
    def is_edited(self) -> bool:
        """Whether people have edited what a network gave."""
        return self.algorithm_type == "SEMIAUTOMATIC"

    @property
    def is_manual(self) -> bool:
        """Whether people drew it without a network."""
        return self.algorithm_type == "MANUAL"

    @property
    def is_from_network(self) -> bool:
        """Whether a network gave it, edited since or not."""
        return not self.is_manual

    @property
    def model(self) -> str:
        """The weights, with the first digits of their digest; empty if no network is known."""
        digits = f" (SHA-256 {self.digest[:_SHOWN_DIGITS]})" if self.digest else ""
        return f"{self.weights}{digits}" if self.weights else ""

    def has_other_weights(self, other: MadeBy) -> bool:
        """Whether two masks are known to be of different weights."""
        if self.digest and other.digest:
            return self.digest != other.digest
        return bool(self.weights and other.weights) and self.weights != other.weights

    @property
    def segmented_without(self) -> str:
        """The modalities that the network did not see, in words; empty if it saw all."""
        return segmented_without(self.missing)

    def __str__(self) -> str:
        """As a report prints it."""
        if self.is_manual:
            return "drawn by hand"
        state = "not edited" if self.is_unedited else "edited"
        version = f"{PACKAGE} {self.version}" if self.version else ""
        made = f"made by {self.model or 'an unknown network'}"
        return ", ".join(filter(None, [made, version, self.segmented_without, state]))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; None if unknown."""
        return {
            "algorithm_type": self.algorithm_type,
            "weights": self.weights or None,
            "weights_sha256": self.digest or None,
            "version": self.version or None,
            "missing_sequences": list(self.missing),
            "seen_in_training": self.seen_in_training,
        }


def segmented_without(modalities: Sequence[str]) -> str:
    """The modalities that a network did not see, in words; empty if it saw all."""
    return f"segmented without {modality_titles(modalities)}" if modalities else ""


def joined(parts: Iterable[MadeBy | None]) -> MadeBy | None:
    """What made a mask of several files or layers: edited if one was, or is of unknown origin.

    None if nothing is known, or they are of different networks.
    """
    parts = list(parts)
    known = {part for part in parts if part is not None}
    if len(known) == 1 and None not in parts:
        return known.pop()
    edited = {part.edited for part in known}
    return edited.pop() if len(edited) == 1 else None


def network_warnings(made_by: MadeBy | None, mask: str) -> list[str]:
    """Warnings that follow from the network of a mask and from what it has seen.

    Parameters
    ----------
    made_by : MadeBy, optional
    mask : str
        What the mask is called in a sentence.
    """
    if made_by is None:
        return []
    without = made_by.segmented_without
    missing = f"{mask} was {without}; it is less reliable than with all sequences"
    return [missing] * bool(without) + [SEEN_IN_TRAINING] * made_by.seen_in_training


def made_by_comment(
    made_by: MadeBy | None, labels: npt.NDArray[Any], grid: Grid, scheme: str = ""
) -> str:
    """What a file of a mask records; empty if its data are no labels.

    Parameters
    ----------
    made_by : MadeBy, optional
        If it is not known, only the labels are recorded.
    labels : (i, j, k) array
        As they are written.
    grid : Grid
    scheme : str
        Name of their label scheme, as for `write_volume`.
    """
    if labels.ndim != 3:
        return ""
    record = LabelsRecord.of(labels, grid, scheme)
    known = {} if made_by is None else made_by.as_json()
    return json.dumps({_KEY: {**known, **record.as_json()}})


def recorded_made_by(volume: Volume) -> MadeBy | None:
    """What the file of a mask records; None if it records nothing.

    A mask whose labels are not those that were written, or lie elsewhere, counts as edited.
    """
    found = _recorded(volume)
    if found is None:
        return None
    made_by, record = found
    if made_by is None:
        return None
    return made_by if _holds(volume, record) else made_by.edited


def holds_other_labels(volume: Volume) -> bool:
    """Whether a file has a record, and other labels than were written with it."""
    found = _recorded(volume)
    return found is not None and not _holds(volume, found[1])


def _recorded(volume: Volume) -> tuple[MadeBy | None, LabelsRecord] | None:
    for comment in volume.comments:
        try:
            content = json.loads(comment)[_KEY]
            made_by = MadeBy.from_json(content) if "algorithm_type" in content else None
            return made_by, LabelsRecord.from_json(content)
        except DAMAGED:
            continue
    return None


def _holds(volume: Volume, record: LabelsRecord) -> bool:
    return record.is_of(volume.data, volume.grid, volume.label_scheme)


def _printable(text: object) -> str:
    """A text on one line, of a length that can be printed: any program may have written it."""
    words = "".join(c if c.isprintable() else " " for c in str(text)).split()
    return " ".join(words)[:_MAX_NAME_LENGTH]
