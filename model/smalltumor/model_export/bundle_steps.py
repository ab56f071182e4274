"""The steps that the configuration of an exported MONAI bundle names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smalltumor.data.case import Case
from smalltumor.data.made_by import MadeBy
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases as _find_cases
from smalltumor.data.preprocessing import NetworkInput, preprocess
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import Probabilities
from smalltumor.data.read_case import read_case_files
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.files.names import safe_name
from smalltumor.model_export.exported_network import ExportedNetwork
from smalltumor.models.card import is_trained_with_modality_dropout
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.version import software_version

Item = dict[str, Any]
"""``image``, a tensor (channel, l, p, s), the ``case``, how it was ``prepared``, and what its mask
is ``made_by``."""


def find_cases(folder: str | Path) -> list[CaseFiles]:
    """The cases in a folder, not yet read."""
    return _find_cases(Path(folder))


def load_network(path: str | Path) -> ExportedNetwork:
    """The network of a weights file; its ``forward`` computes class probabilities."""
    return ExportedNetwork(load_checkpoint(path)).eval()


class PrepareCase:
    """A transform that reads a case and prepares it for a network.

    Parameters
    ----------
    path : path
        The weights file, which says how its input is prepared.
    """

    def __init__(self, path: str | Path) -> None:
        checkpoint = load_checkpoint(path)
        self._preprocessing = checkpoint.preprocessing
        self._allow_missing = is_trained_with_modality_dropout(checkpoint.card)
        self._made_by = partial(
            MadeBy.network, checkpoint.name, checkpoint.digest, software_version()
        )

    def __call__(self, files: CaseFiles) -> Item:
        """Read and prepare one case."""
        case = read_case_files(files, allow_missing=self._allow_missing)
        prepared = preprocess(case, self._preprocessing, allow_missing=self._allow_missing)
        image = torch.from_numpy(np.ascontiguousarray(prepared.array))
        missing = [m for m in self._preprocessing.channels if m not in case.volumes]
        made_by = self._made_by(missing)
        return {"image": image, "case": case, "prepared": prepared, "made_by": made_by}


class WriteMask:
    """A transform that writes class probabilities as a label file on the case's own grid.

    Parameters
    ----------
    folder : path
        Created if it does not exist; an existing file is not replaced.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def __call__(self, item: Item, probabilities: torch.Tensor) -> Path:
        """Write the mask of one case; `probabilities` is (class, l, p, s)."""
        segmentation = replace(
            segmentation_of(item["case"], item["prepared"], probabilities), made_by=item["made_by"]
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        return write_segmentation(
            segmentation, self._folder / f"{safe_name(segmentation.name)}.nii.gz"
        )


def segmentation_of(
    case: Case, prepared: NetworkInput, probabilities: torch.Tensor
) -> Segmentation:
    """The segmentation of a case by the network's output for its crop."""
    values = probabilities.float().cpu().numpy()
    cropped = CroppedProbabilities(Probabilities(values), prepared.start, prepared.network_grid)
    return Segmentation.from_probabilities(case, cropped)


@torch.inference_mode()
def segment_cases(
    items: Iterable[Item],
    network: torch.nn.Module,
    inferer: Callable[[torch.Tensor, torch.nn.Module], torch.Tensor],
    write: Callable[[Item, torch.Tensor], Path],
    device: torch.device,
) -> list[Path]:
    """Segment one case after the other; returns the files that were written."""
    return [write(item, inferer(item["image"][None].to(device), network)[0]) for item in items]
