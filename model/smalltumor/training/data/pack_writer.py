"""Writing a pack of prepared cases."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.preprocessing import PREPROCESSING_VERSION, Preprocessing
from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.atomic import write_text
from smalltumor.files.tensor_file import Tensors, write_tensors
from smalltumor.training.data.pack import FORMAT, FORMAT_VERSION, MANIFEST, PackEntry
from smalltumor.training.data.quantisation import Quantisation
from smalltumor.training.data.training_case import TrainingCase

PART_BYTES = 60 * 10**6
"""A part that a further case would make larger than this is closed."""


class PackWriter:
    """Writes a pack, case by case.

    Parameters
    ----------
    folder : Path
        New or empty; created if it does not exist.
    preprocessing : Preprocessing
        With which the cases are prepared.
    part_bytes : int
        Largest size of a part with more than one case.

    Raises
    ------
    OutputError
        If the folder holds files, or cannot be created.
    """

    def __init__(
        self, folder: Path, preprocessing: Preprocessing, part_bytes: int = PART_BYTES
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            holds_files = any(folder.iterdir())
        except OSError as error:
            raise OutputError(f"{folder} cannot be a pack: {error.strerror or error}") from error
        if holds_files:
            raise OutputError(f"{folder} is not empty", Remedy(Action.CHOOSE_OUTPUT))
        self._folder, self._preprocessing, self._part_bytes = folder, preprocessing, part_bytes
        self._entries: list[PackEntry] = []
        self._checksums: dict[str, str] = {}
        self._tensors: Tensors = {}

    def add(self, case: TrainingCase, t1ce_digest: str = "") -> None:
        """Add a case to the current part, or to the next one if it would become too large.

        Parameters
        ----------
        case : TrainingCase
        t1ce_digest : str
            See `PackEntry`.

        Raises
        ------
        OutputError
            If a part cannot be written.
        """
        image = case.intensities().numpy()
        quantisation = Quantisation.of(image)
        key = f"{len(self._entries):04d}"
        tensors: Tensors = {
            f"{key}.image": _compress(quantisation.encode(image)),
            f"{key}.classes": _compress(case.classes.numpy()),
            f"{key}.crop_centres": case.crop_centres,
        }
        if self._tensors and _bytes(self._tensors) + _bytes(tensors) > self._part_bytes:
            self._close_part()
        self._tensors |= tensors
        shape = tuple(image.shape)
        self._entries.append(
            PackEntry(
                name=case.name,
                part=self._part,
                shape=shape,
                quantisation=quantisation,
                warnings=case.warnings,
                t1ce_digest=t1ce_digest,
                made_by=case.made_by,
            )
        )

    def close(self) -> list[Path]:
        """Write the last part and ``pack.json``.

        Returns
        -------
        list of Path
            The parts.
        """
        if self._tensors:
            self._close_part()
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "preprocessing": self._preprocessing.to_dict(),
            "preprocessing_version": PREPROCESSING_VERSION,
            "parts": self._checksums,
            "cases": [entry.to_dict() for entry in self._entries],
        }
        write_text(self._folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        return [self._folder / part for part in self._checksums]

    @property
    def _part(self) -> str:
        return f"part-{len(self._checksums) + 1:02d}.safetensors"

    def _close_part(self) -> None:
        path = self._folder / self._part
        write_tensors(path, self._tensors, FORMAT, FORMAT_VERSION, {})
        self._checksums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        self._tensors = {}


def _compress(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(zlib.compress(np.ascontiguousarray(array).tobytes()), np.uint8)


def _bytes(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())
