"""Export asks for a file name, and before it replaces files."""

import nibabel as nib
import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from napari_cases import case_along
from qtpy.QtWidgets import QFileDialog, QMessageBox
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import notify, settings
from napari_smalltumor.export_dialog import ask_and_export, export_active
from napari_smalltumor.layers.regions import show_segmentation


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    case = case_along("RAS")
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return viewer


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(notify, "error", shown.append)
    return shown


def answer_with(monkeypatch, path, replace: bool | None = None) -> list:
    asked: list = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    button = QMessageBox.StandardButton
    answer = button.Yes if replace else button.No
    monkeypatch.setattr(QMessageBox, "question", lambda *a: asked.append(a[2]) or answer)
    return asked


def test_a_new_file_is_written_without_a_question(viewer, tmp_path, monkeypatch, messages):
    asked = answer_with(monkeypatch, tmp_path / "mask")
    settings.put("scheme", "brats2023")
    (path,) = ask_and_export(viewer, None, per_region=False)
    assert path.name == "mask.nii.gz"
    assert set(np.unique(nib.load(path).dataobj)) == {0, 1, 2, 3}
    assert asked == []
    assert messages == [f"Wrote mask.nii.gz to {tmp_path}"]


@pytest.mark.parametrize("replace", [True, False])
def test_the_question_names_the_files_that_would_be_replaced(
    viewer, tmp_path, monkeypatch, messages, replace
):
    (tmp_path / "mask_tc.nii.gz").write_bytes(b"precious")
    asked = answer_with(monkeypatch, tmp_path / "mask.nii.gz", replace)
    written = ask_and_export(viewer, None, per_region=True)
    assert len(asked) == 1
    assert "mask_tc.nii.gz" in asked[0]
    assert len(written) == (3 if replace else 0)
    assert ((tmp_path / "mask_tc.nii.gz").read_bytes() == b"precious") == (not replace)


def test_an_export_without_regions_is_reported(make_napari_viewer, messages):
    assert ask_and_export(make_napari_viewer(), None, per_region=False) == []
    assert "segment a case first" in messages[0]


def test_a_missing_folder_is_reported(viewer, tmp_path, monkeypatch, messages):
    answer_with(monkeypatch, tmp_path / "nowhere" / "mask.nii.gz")
    assert ask_and_export(viewer, None, per_region=False) == []
    assert "does not exist" in messages[0]


def test_the_menu_command_exports_from_a_viewer_proxy(viewer, tmp_path, monkeypatch, messages):
    answer_with(monkeypatch, tmp_path / "mask.nii.gz")
    export_active(PublicOnlyProxy(viewer))
    assert messages == [f"Wrote mask.nii.gz to {tmp_path}"]
