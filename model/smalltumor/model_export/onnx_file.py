"""The network as an ONNX file."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.extras import require
from smalltumor.files.atomic import check_output, write_bytes
from smalltumor.model_export.description import facts

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint

INPUT_NAME, OUTPUT_NAME = "image", "probabilities"
_EXAMPLE_EDGES = (32, 48, 64)
"""Of the example that is traced: different, so that no axis is taken for another."""


def write_onnx(checkpoint: Checkpoint, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a network as an ONNX file, with its card among the metadata.

    The input ``image`` is (1, channel, l, p, s) float32 with any multiples of 16 voxels, prepared
    as in `smalltumor.data.preprocessing.preprocess`; the output ``probabilities`` is
    (1, class, l, p, s).

    Parameters
    ----------
    checkpoint : Checkpoint
    path : path
        ``.onnx`` file.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OutputError
        If the file exists and may not be replaced, or cannot be written.
    MissingPackageError
        If the extra ``onnx`` is not installed.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite)
    require("onnx", "a file in the format ONNX", "onnx")
    require("onnxscript", "a file in the format ONNX", "onnx")
    model = _model_of(checkpoint)
    for key, value in facts(checkpoint).items():
        entry = model.metadata_props.add()
        entry.key = key
        entry.value = value if isinstance(value, str) else json.dumps(value)
    write_bytes(path, model.SerializeToString(), overwrite=overwrite)
    return path


def _model_of(checkpoint: Checkpoint) -> Any:
    import torch
    from torch.export import Dim

    from smalltumor.model_export.exported_network import ExportedNetwork

    example = torch.zeros(1, checkpoint.config.in_channels, *_EXAMPLE_EDGES)
    edges = {
        axis: Dim(f"{name}_16", min=1, max=64) * 16 for axis, name in ((2, "l"), (3, "p"), (4, "s"))
    }
    with _quiet_exporter():
        program = torch.onnx.export(
            ExportedNetwork(checkpoint).eval(),
            (example,),
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamo=True,
            dynamic_shapes=(edges,),
            verbose=False,
        )
    if program is None:
        raise AssertionError("unreachable: with dynamo, torch returns the program")
    return program.model_proto


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without the warnings that torch's exporter gives of its own parts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
