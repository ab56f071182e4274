"""An image with NaN in the brain is shown, with a warning."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari_cases import write_case_along

from napari_smalltumor import notify
from napari_smalltumor.loading.open_case import open_and_remember


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_case_along(tmp_path / "Pat", labels=False)
    path = folder / "Pat_t2.nii.gz"
    image = nib.load(path)
    data = np.asarray(image.dataobj).astype(np.float32)
    data[tuple(n // 2 for n in data.shape)] = np.nan
    nib.save(nib.Nifti1Image(data, image.affine), path)
    return folder


@pytest.mark.parametrize("alone", [True, False])
def test_it_is_opened_with_a_window_of_its_other_voxels(viewer, folder, monkeypatch, alone):
    said: list[str] = []
    for kind in ("warn", "error"):
        monkeypatch.setattr(notify, kind, said.append)
    open_and_remember(viewer, folder / "Pat_t2.nii.gz" if alone else folder)
    layer = viewer.layers["Pat T2"]
    assert np.isnan(layer.data).sum() == 1
    assert np.isfinite(layer.contrast_limits).all()
    assert len(said) == 1 and "Pat_t2.nii.gz has NaN or infinite voxels in the brain" in said[0]
