"""An image without left and right is opened with a warning, alone and in its case."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import write_case_along

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_and_remember


@pytest.mark.parametrize("alone", [True, False])
def test_it_is_said_once_and_kept_with_the_case(viewer, tmp_path: Path, monkeypatch, alone):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    for path in folder.glob("*.nii.gz"):
        nib.save(nib.Nifti1Image(np.asarray(nib.load(path).dataobj), None), path)
    said: list[str] = []
    for kind in ("warn", "error"):
        monkeypatch.setattr(notify, kind, said.append)
    open_and_remember(viewer, folder / "Pat_t2.nii.gz" if alone else folder)
    assert len(said) == 1 and "does not give left and right" in said[0]
    case = case_of(viewer.layers["Pat T2"])
    assert case is not None and case.warnings == said
