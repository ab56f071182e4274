"""The mask of the earlier scan is corrected after it was compared."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from follow_up_scans import compared, later, words
from report_cases import ball, tumour
from shown_layers import show_segmentation
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation

from napari_smalltumor import notify
from napari_smalltumor.export.save import save
from napari_smalltumor.follow_up import dock as dock_module
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

IMAGES_CHANGED = (
    "The image files of BraTS2021_1 have changed since they were compared; compare again."
)
CHANGED = "The mask files of BraTS2021_1 have changed since they were compared; compare again."


@pytest.fixture
def refused(monkeypatch) -> list[str]:
    """The errors that are shown; no page is written."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(dock_module, "ask_and_write_page", lambda *a: shown.append("written"))
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("was_saved", [True, False])
def test_a_comparison_is_old_once_the_earlier_mask_is_saved_in_the_window(
    dock, qtbot, earlier_scan, refused, was_saved
):
    """Also if it was compared with an expert's mask, which a saved one goes before."""
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    current = patients.current
    open_case(viewer, earlier_scan)
    earlier, case = patients.current, read_case(earlier_scan)
    show_segmentation(viewer, case, Segmentation(case.name, tumour(), case.grid))
    patients.activate(earlier)
    if was_saved:
        assert save(viewer, None)
    patients.activate(current)
    compared(dock, qtbot, earlier_scan)
    assert words(dock) == ["new", "grown", "gone"]
    assert "BraTS2021_1 is open too" in dock.message.text()
    dock.report()
    patients.activate(earlier)
    corrected = ball(tumour(), (40, 20, 25), 1.5)  # with the lesion that was new
    show_segmentation(viewer, case, Segmentation(case.name, corrected, case.grid))
    assert save(viewer, None)
    patients.activate(current)
    assert CHANGED in dock.message.text() and "that of the file" not in dock.message.text()
    dock.report()
    assert refused == ["written", CHANGED]
    dock.compare_again()
    qtbot.waitUntil(lambda: not dock.busy)
    assert "new" not in words(dock) and CHANGED not in dock.message.text()


@pytest.mark.slow
@pytest.mark.parametrize("change", ["rewritten", "deleted"])
def test_a_page_is_refused_if_the_earlier_mask_was_changed_elsewhere(
    dock, qtbot, earlier_scan, refused, change
):
    path = write_mask(earlier_scan, tumour())
    compared(dock, qtbot, earlier_scan)
    if change == "deleted":
        path.unlink()
    else:
        write_mask(earlier_scan, later())
    dock.report()
    assert refused == [CHANGED] and CHANGED in dock.message.text()


@pytest.mark.slow
def test_a_page_is_refused_if_the_earlier_images_are_others_now(dock, qtbot, earlier_scan, refused):
    compared(dock, qtbot, earlier_scan)
    assert not dock.headline.text().startswith("Outdated")
    path = earlier_scan / f"{earlier_scan.name}_t1ce.nii.gz"
    other = np.roll(nib.load(path).get_fdata(dtype=np.float32), 3, axis=0)
    nib.save(nib.Nifti1Image(other, nib.load(path).affine), path)
    dock.report()
    assert refused == [IMAGES_CHANGED] and IMAGES_CHANGED in dock.message.text()
    assert dock.headline.text().startswith("Outdated: ")
    assert dock.response.text().startswith("Outdated: RANO")
    assert not dock.response.isEnabled() and "gray" in dock.table.styleSheet()


def write_mask(folder, classes: np.ndarray):
    """Write a mask beside the images of a scan, as this program saves it."""
    case = read_case(folder)
    path = folder / f"{case.name}_smalltumor.nii.gz"
    mask = Segmentation(case.name, classes, case.grid, case.header)
    return write_segmentation(mask, path, overwrite=True)
