"""What the Fine-tune dock's worker threads do, without Qt, layers or widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.case_files import CaseFiles, find_cases
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.labels.schemes import SCHEMES
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor.layers.create import labels_layer
from napari_smalltumor.layers.metadata import LayerKind

if TYPE_CHECKING:
    from napari_smalltumor.layers.create import LayerData

_SCHEME = SCHEMES["brats2023"]


@dataclass(frozen=True)
class Prediction:
    """A validation case and a layer of what the network makes of it at this moment."""

    case: Case
    layer: LayerData
    words: str


def predict(run: Path, name: str, device: str) -> Prediction:
    """Segment a validation case with a run's current network.

    Parameters
    ----------
    run : Path
        The run folder.
    name : str
        Of the case.
    device : str

    Raises
    ------
    SmalltumorError
        With one line for the user.
    """
    from smalltumor.data.case import read_case_files
    from smalltumor.inference import segment
    from smalltumor.training.runs.current_weights import current_checkpoint

    case = read_case_files(_files_of(run, name))
    checkpoint = current_checkpoint(run)
    # Compiling a network that is used once would take longer than running it.
    segmentation = segment(case, checkpoint, device=device, backend="torch")
    layer = labels_layer(
        case,
        _SCHEME.encode(segmentation.classes),
        _SCHEME,
        prediction_name(case.name),
        kind=LayerKind.PREDICTION,
    )
    limits = checkpoint.card.get("limits")
    words = f"{name}: prediction after step {checkpoint.card['step']}"
    return Prediction(case, layer, f"{words} ({limits})" if limits else words)


def prediction_name(case: str) -> str:
    """Of the layer."""
    return f"{case} in training"


def _files_of(run: Path, name: str) -> CaseFiles:
    """The files of a case by its name, where the run found them."""
    config = RunFolder(run).read_config()
    for key in ("validation", "data"):
        folder = config.get(key)
        if not folder:
            continue
        try:
            found = [files for files in find_cases(Path(folder)) if files.name == name]
        except SmalltumorError:
            continue
        if found:
            return found[0]
    raise CaseError(f"{name} is no longer where the run found it")
