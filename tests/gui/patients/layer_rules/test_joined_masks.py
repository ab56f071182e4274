"""Masks that are opened by themselves in a window are checked once, when all have been read."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from event_loop import let_workers_end
from napari_cases import write_case_along
from qtpy.QtCore import QTimer

from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patients.layer_rules import joined_masks


@pytest.fixture
def checked(monkeypatch) -> list[list[int]]:
    """The tissue classes of each mask that is checked; each is doubtful."""
    checked: list[list[int]] = []

    def doubt(case, classes) -> str:
        assert set(case.volumes) == {"t1", "t1ce", "t2", "flair"}
        checked.append(np.unique(classes).tolist())
        return "the mask seems to be mirrored"

    monkeypatch.setattr(joined_masks, "placement_text", doubt)
    return checked


def test_regions_that_are_opened_together_are_one_mask(
    make_napari_viewer, tmp_path, qtbot, messages, checked
):
    viewer = make_napari_viewer()
    folder = write_case_along(tmp_path / "Pat", labels=False)
    image = nib.load(folder / "Pat_t1ce.nii.gz")
    masks = tmp_path / "reader2"
    masks.mkdir()
    for size, region in enumerate(("et", "tc", "wt"), start=1):
        data = np.zeros(image.shape, np.uint8)
        data[3 : 3 + size, 3:6, 3:6] = 1
        nib.save(nib.Nifti1Image(data, image.affine), masks / f"Pat_{region}.nii.gz")
    open_case(viewer, folder)
    for region in ("et", "tc", "wt"):
        file = masks / f"Pat_{region}.nii.gz"
        QTimer.singleShot(0, lambda file=file: open_and_remember(viewer, file))
    qtbot.waitUntil(lambda: len(viewer.layers) == 7 and not loader_of(viewer).busy)
    qtbot.waitUntil(lambda: bool(checked))
    let_workers_end(qtbot)
    assert checked == [[0, 1, 2, 3]]
    (text,) = [text for text in messages if "mirrored" in text]
    assert all(f"Pat {region}" in text for region in ("ET", "TC", "WT"))
