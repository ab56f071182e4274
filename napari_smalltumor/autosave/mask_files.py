"""Files of edited masks, one per case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case
from smalltumor.data.made_by import MadeBy
from smalltumor.errors import GridMismatchError, TensorFileError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.tensor_file import read_metadata, read_tensors, write_tensors
from smalltumor.files.user_dirs import create_user_folder
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor.case_data.records import record_case

FORMAT = "smalltumor autosave"
FORMAT_VERSION = 1
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class SavedMask:
    """The saved mask of a labels layer.

    Parameters
    ----------
    name : str
        Name of the layer.
    values : (i, j, k) integer array
        The mask, cropped to the bounding box of its non-zero voxels.
    start : (3,) int
        Index of the box's first voxel on the case's grid.
    region : Region, optional
        Region of a region layer.
    scheme : str, optional
        Name of the label scheme of tissue classes.
    predicted : bool
        Whether the tissue classes were predicted by a network in training.
    baseline_checksum : int, optional
        Checksum of the layer's data before they were edited.
    made_by : MadeBy, optional
        What made the mask, as far as it is known.
    opened_checksum : int, optional
        Checksum of the data that the layer was opened with, also if it was exported since.
    other_images : str
        What is said of its file if that records other images than those of the case; else empty.
    known : tuple of TissueClass
        Of tissue classes: those that the layer tells apart.
    """

    name: str
    values: npt.NDArray[np.integer]
    start: tuple[int, int, int]
    region: Region | None = None
    scheme: str | None = None
    predicted: bool = False
    baseline_checksum: int | None = None
    made_by: MadeBy | None = None
    opened_checksum: int | None = None
    other_images: str = ""
    known: tuple[TissueClass, ...] = tuple(TissueClass)

    def on_grid(self, shape: tuple[int, int, int]) -> npt.NDArray[np.integer]:
        """Return the mask as a volume (i, j, k) of the given shape.

        Raises
        ------
        GridMismatchError
            If the box exceeds the shape.
        """
        volume = np.zeros(shape, dtype=self.values.dtype)
        stop = np.add(self.start, self.values.shape)
        if min(self.start) < 0 or np.any(stop > shape):
            raise GridMismatchError(f"The saved mask {self.name} does not fit into {shape} voxels")
        box = tuple(slice(a, int(b)) for a, b in zip(self.start, stop, strict=True))
        volume[box] = self.values
        return volume


def write_masks(
    path: Path, case: Case, masks: Iterable[SavedMask], readers: Sequence[str] = ()
) -> None:
    """Write the edited masks of a case atomically.

    Parameters
    ----------
    path : Path
    case : Case
    masks : iterable of SavedMask
    readers : sequence of str
        Who has edited them, as far as readers were named in the window.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    masks = list(masks)
    tensors = {str(n): np.ascontiguousarray(mask.values) for n, mask in enumerate(masks)}
    layers = [
        {
            "name": m.name,
            "start": m.start,
            "region": m.region,
            "scheme": m.scheme,
            "predicted": m.predicted,
            "baseline_checksum": m.baseline_checksum,
            "made_by": m.made_by and m.made_by.as_json(),
            "opened_checksum": m.opened_checksum,
            "other_images": m.other_images,
            "known": list(map(int, m.known)),
        }
        for m in masks
    ]
    sources = [str(path) for path in case.sources]
    text = {"case": case.name, "sources": json.dumps(sources), "layers": json.dumps(layers)}
    text["readers"] = json.dumps(list(readers))
    create_user_folder(path.parent)
    record_case(case)
    write_tensors(path, tensors, FORMAT, FORMAT_VERSION, text, overwrite=True)


def read_masks(path: Path) -> list[SavedMask]:
    """Read a file that `write_masks` wrote.

    Raises
    ------
    TensorFileError
        If the file is missing or damaged, or has a later format version.
    """
    text = read_metadata(path, FORMAT, FORMAT_VERSION)
    tensors = read_tensors(path)
    try:
        layers = json.loads(text["layers"])
        return [_mask_of(layer, tensors[str(n)]) for n, layer in enumerate(layers)]
    except DAMAGED as error:
        raise TensorFileError(f"{path}: damaged autosave ({error})") from None


def _mask_of(layer: Any, values: npt.NDArray[np.generic]) -> SavedMask:
    i, j, k = (int(n) for n in layer["start"])
    if values.ndim != 3 or values.dtype.kind not in "iu":
        raise ValueError(f"{values.dtype} of shape {values.shape} is not a mask")
    region = None if layer["region"] is None else Region(layer["region"])
    baseline = None if layer["baseline_checksum"] is None else int(layer["baseline_checksum"])
    made_by = MadeBy.from_json(layer["made_by"]) if layer.get("made_by") else None
    opened = None if layer.get("opened_checksum") is None else int(layer["opened_checksum"])
    name, scheme, predicted = str(layer["name"]), layer["scheme"], bool(layer["predicted"])
    return SavedMask(
        name,
        values,  # type: ignore[arg-type]
        (i, j, k),
        region,
        scheme,
        predicted,
        baseline,
        made_by,
        opened,
        str(layer.get("other_images", "")),
        tuple(map(TissueClass, layer.get("known", TissueClass))),
    )


def read_readers(path: Path) -> list[str]:
    """Who has made the edits in a file that `write_masks` wrote; empty if nobody was named.

    Raises
    ------
    TensorFileError
        As `read_masks`.
    """
    text = read_metadata(path, FORMAT, FORMAT_VERSION)
    try:
        return [str(reader) for reader in json.loads(text.get("readers", "[]"))]
    except DAMAGED as error:
        raise TensorFileError(f"{path}: damaged autosave ({error})") from None


def read_sources(path: Path) -> tuple[str, list[Path]]:
    """The name and the files of the case of a file that `write_masks` wrote.

    Raises
    ------
    TensorFileError
        As `read_masks`.
    """
    text = read_metadata(path, FORMAT, FORMAT_VERSION)
    try:
        return text["case"], [Path(source) for source in json.loads(text["sources"])]
    except DAMAGED as error:
        raise TensorFileError(f"{path}: damaged autosave ({error})") from None
