"""A pack: prepared cases in 8 bits, in a few files that are easily moved to another machine.

``pack.json``            the cases, how they were prepared, and the checksum of each part
``part-01.safetensors``  compressed codes and tissue classes of some whole cases

A pack is written by `PackWriter`, and is complete once it has its ``pack.json``.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from smalltumor.data.made_by import MadeBy
from smalltumor.data.preprocessing import PREPROCESSING_VERSION, Preprocessing
from smalltumor.errors import CheckpointError, TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.tensor_file import Tensors, parse_tensors, read_content
from smalltumor.training.data.quantisation import Quantisation
from smalltumor.training.data.training_case import TrainingCase

FORMAT = "smalltumor training pack"
FORMAT_VERSION = 1
MANIFEST = "pack.json"


@dataclass(frozen=True)
class PackEntry:
    """What ``pack.json`` says of a case.

    Parameters
    ----------
    name : str
    part : str
        Name of the file that holds it.
    shape : (4,) int
        Of the image: channel, i, j, k.
    quantisation : Quantisation
    warnings : tuple of str
        See `TrainingCase`.
    t1ce_digest : str
        By which copies of a case are found, see `smalltumor.training.data.same_images`.
    made_by : MadeBy, optional
        See `TrainingCase`.
    """

    name: str
    part: str
    shape: tuple[int, ...]
    quantisation: Quantisation
    warnings: tuple[str, ...] = ()
    t1ce_digest: str = ""
    made_by: MadeBy | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "part": self.part,
            "shape": list(self.shape),
            "lowest": list(self.quantisation.lowest),
            "step": list(self.quantisation.step),
            "warnings": list(self.warnings),
            "t1ce_digest": self.t1ce_digest,
            "made_by": None if self.made_by is None else self.made_by.as_json(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PackEntry:
        """The inverse of `to_dict`; raises what `DAMAGED` lists."""
        shape = tuple(int(length) for length in values["shape"])
        made_by = values["made_by"]
        lowest, step = (tuple(map(float, values[key])) for key in ("lowest", "step"))
        if len(shape) != 4 or min(shape) < 1 or not len(lowest) == len(step) == shape[0]:
            raise ValueError(f"a shape of {shape}")
        return cls(
            name=str(values["name"]),
            part=str(values["part"]),
            shape=shape,
            quantisation=Quantisation(lowest, step),
            warnings=tuple(map(str, values["warnings"])),
            t1ce_digest=str(values["t1ce_digest"]),
            made_by=None if made_by is None else MadeBy.from_json(made_by),
        )


class Pack:
    """A pack that is read.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    preprocessing : Preprocessing
        With which the cases were prepared.
    preprocessing_version : int
        `PREPROCESSING_VERSION` of the release that prepared them.
    names : list of str
        Of the cases.

    Raises
    ------
    TrainingError
        If ``pack.json`` cannot be read, is damaged, or of a later version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"its format is {values['format']!r}")
            version = int(values["format_version"])
            if version > FORMAT_VERSION:
                raise TrainingError(f"{path}: format version {version} is of a later release")
            self.preprocessing = Preprocessing.from_dict(values["preprocessing"])
            self.preprocessing_version = int(values["preprocessing_version"])
            self._checksums = {str(part): str(sha) for part, sha in values["parts"].items()}
            self._entries = [PackEntry.from_dict(entry) for entry in values["cases"]]
            if not {entry.part for entry in self._entries} <= self._checksums.keys():
                raise ValueError("a part that is not listed")
            if any(Path(part).name != part for part in self._checksums):
                raise ValueError("a part outside its folder")
        except (OSError, CheckpointError, *DAMAGED) as error:
            raise TrainingError(f"{path} is damaged ({error})") from None
        self._part: tuple[str, Tensors] = ("", {})

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder is a pack."""
        return (folder / MANIFEST).is_file()

    @property
    def names(self) -> list[str]:
        """Names of the cases."""
        return [entry.name for entry in self._entries]

    def load(self, index: int) -> TrainingCase:
        """A case, in main memory.

        Parameters
        ----------
        index : int
            Position in `names`. Cases are read fastest in order.

        Raises
        ------
        TrainingError
            If its part is missing or damaged, or the pack was prepared by a release whose
            preprocessing differs.
        """
        self._check_version()
        entry, key = self._entries[index], f"{index:04d}"
        tensors = self._read_part(entry.part)
        try:
            image = _decompress(tensors[f"{key}.image"], entry.shape)
            classes = _decompress(tensors[f"{key}.classes"], entry.shape[1:])
            centres = tensors[f"{key}.crop_centres"].astype(np.int32).reshape(-1, 6)
        except (KeyError, ValueError, zlib.error) as error:
            path = self.folder / entry.part
            raise TrainingError(f"{path}: {entry.name} is damaged ({error})") from None
        return TrainingCase(
            name=entry.name,
            image=torch.from_numpy(image),
            classes=torch.from_numpy(classes),
            crop_centres=centres,
            quantisation=entry.quantisation,
            warnings=entry.warnings,
            made_by=entry.made_by,
        )

    def t1ce_digest(self, index: int) -> str:
        """That of the case at a position in `names`, see `PackEntry`."""
        return self._entries[index].t1ce_digest

    def _check_version(self) -> None:
        version = self.preprocessing_version
        if version != PREPROCESSING_VERSION:
            raise TrainingError(
                f"{self.folder} was prepared by another release of smalltumor, whose "
                f"preprocessing (version {version}) differs from that of this "
                f"one (version {PREPROCESSING_VERSION}); pack the cases again"
            )

    def _read_part(self, name: str) -> Tensors:
        """The tensors of a part; the last one read is kept, because it holds several cases."""
        if self._part[0] != name:
            path = self.folder / name
            if not path.is_file():
                raise TrainingError(f"{path} is missing, which {MANIFEST} lists")
            try:
                content = read_content(path)
                if hashlib.sha256(content).hexdigest() != self._checksums[name]:
                    raise TrainingError(
                        f"{path} is damaged: its checksum is not that of {MANIFEST}"
                    )
                _, tensors = parse_tensors(content, path, FORMAT, FORMAT_VERSION)
            except CheckpointError as error:
                raise TrainingError(str(error)) from None
            self._part = (name, tensors)
        return self._part[1]


@dataclass(frozen=True)
class PackedCase:
    """A case of a pack, before it is read.

    Parameters
    ----------
    name : str
    pack : Pack
    index : int
        Its position in the pack.
    """

    name: str
    pack: Pack
    index: int

    @property
    def t1ce_digest(self) -> str:
        """See `PackEntry`."""
        return self.pack.t1ce_digest(self.index)

    def load(self, preprocessing: Preprocessing) -> TrainingCase:
        """Read the case.

        Parameters
        ----------
        preprocessing : Preprocessing
            That of the network; a pack cannot be prepared in another way.

        Raises
        ------
        TrainingError
            If the pack was prepared in another way, or as `Pack.load`.
        """
        if preprocessing != self.pack.preprocessing:
            raise TrainingError(
                f"{self.pack.folder} was prepared with {self.pack.preprocessing}, "
                f"but the network needs {preprocessing}"
            )
        return self.pack.load(self.index)


def packed_cases(folder: Path) -> list[PackedCase]:
    """The cases of a pack.

    Raises
    ------
    TrainingError
        If ``pack.json`` is damaged.
    """
    pack = Pack(folder)
    return [PackedCase(name, pack, index) for index, name in enumerate(pack.names)]


def _decompress(data: npt.NDArray[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Never more than the shape needs, whatever the data say."""
    size = int(np.prod(shape))
    content = zlib.decompressobj().decompress(data.tobytes(), size + 1)
    if len(content) != size:
        raise ValueError(f"{len(content)} or more bytes for {size} voxels")
    return np.frombuffer(bytearray(content), np.uint8).reshape(shape)
