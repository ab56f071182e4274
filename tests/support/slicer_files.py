"""Label files as 3D Slicer saves them: NRRD files whose header names the segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from smalltumor.geometry.grid import LPS_TO_RAS, Grid

TERMINOLOGY = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer "
    "General Anatomy list~SCT^49755003^Morphologically Altered Structure~SCT^{code}^{meaning}~^^~"
    "Anatomic codes - DICOM master list~^^~^^|"
)
"""The tags of a segment; the default of a new one is 85756007, Tissue."""


def write_segments(
    path: Path,
    stored: np.ndarray,
    grid: Grid,
    segments: Sequence[tuple[str, int]],
    *,
    layers: Sequence[int] = (),
    tags: Sequence[str] = (),
) -> None:
    """Write values (i, j, k), or (i, j, k, layers) if segments overlap, and names with values."""
    sitk = pytest.importorskip("SimpleITK")

    image = sitk.GetImageFromArray(
        np.moveaxis(stored.T, 0, -1) if stored.ndim == 4 else stored.T, isVector=stored.ndim == 4
    )
    lps = LPS_TO_RAS @ grid.affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    for n, (name, value) in enumerate(segments):
        fields = {"ID": f"Segment_{n + 1}", "Name": name, "LabelValue": str(value)}
        fields["Layer"] = str(layers[n] if layers else 0)
        fields["Tags"] = tags[n] if tags else TERMINOLOGY.format(code=85756007, meaning="Tissue")
        for field, text in fields.items():
            image.SetMetaData(f"Segment{n}_{field}", text)
    sitk.WriteImage(image, str(path), True)
