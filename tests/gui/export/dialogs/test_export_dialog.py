"""Export asks for a file name, and before it replaces files."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers._layer_actions import _duplicate_layer
from napari.utils._proxies import PublicOnlyProxy
from napari_cases import case_along, write_case_along
from qtpy.QtWidgets import QFileDialog, QShortcut
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.text import volume_text

from napari_smalltumor import questions, settings
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export, export_active
from napari_smalltumor.keys import EXPORT
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    case = case_along("RAS")
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    return viewer


def answer_with(monkeypatch, path, replace: bool | None = None) -> list:
    asked: list = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    monkeypatch.setattr(questions, "confirm", lambda *a: asked.append(a[2]) or bool(replace))
    return asked


def test_a_new_file_is_written_without_a_question(viewer, tmp_path, monkeypatch, messages):
    asked = answer_with(monkeypatch, tmp_path / "mask")
    settings.put("scheme", "brats2023")
    (path,) = ask_and_export(viewer, None, per_region=False)
    assert path.name == "mask.nii.gz"
    assert set(np.unique(nib.load(path).dataobj)) == {0, 1, 2, 3}
    assert asked == []
    assert messages == [f"Wrote mask.nii.gz to {tmp_path}"]


def test_a_key_of_the_window_exports_the_active_patient(viewer, tmp_path, monkeypatch, messages):
    answer_with(monkeypatch, tmp_path / "mask")
    for _ in range(2):  # with each file that is opened
        set_up(viewer)
    shortcuts = viewer.window._qt_window.findChildren(QShortcut)
    (key,) = [s for s in shortcuts if s.key().toString() == EXPORT.sequence]
    key.activated.emit()
    assert (tmp_path / "mask.nii.gz").exists()


@pytest.mark.slow
def test_the_dialog_starts_beside_the_images_or_where_this_patient_was_exported(
    make_napari_viewer, tmp_path, monkeypatch, messages
):
    viewer = make_napari_viewer()
    first, second = (write_case_along(tmp_path / n, labels=False) for n in ("First", "Second"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    started: list[Path] = []

    def export(folder: Path, to: Path | None) -> Path:
        """Export the patient of a folder to another one; the folder that was proposed."""
        active_patient(viewer).activate(patient_of(cases[folder][0]))
        answer = str(to / "mask.nii.gz") if to is not None else ""
        dialog = lambda *a, **k: started.append(Path(a[2]).parent) or (answer, "")  # noqa: E731
        monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)
        ask_and_export(viewer, None, per_region=False)
        return started[-1]

    cases = {folder: open_case(viewer, folder) for folder in (first, second)}
    for layers in cases.values():
        case = case_of(layers[0])
        classes = np.ones(case.grid.shape, np.uint8)
        show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    assert export(first, to=elsewhere) == first
    assert export(second, to=None) == second
    assert export(first, to=None) == elsewhere


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


@pytest.mark.one_binding
@pytest.mark.parametrize("state", ["missing", "hidden"])
@pytest.mark.parametrize("anyway", [True, False])
def test_a_region_that_is_not_seen_is_asked_about(
    viewer, tmp_path, monkeypatch, messages, state, anyway
):
    layer = viewer.layers["Pat ET"]
    voxels, voxel_ml = np.count_nonzero(layer.data), case_of(layer).grid.voxel_volume / 1000
    if state == "missing":
        viewer.layers.remove(layer)
    else:
        layer.visible = False
    asked = answer_with(monkeypatch, tmp_path / "mask.nii.gz", anyway)
    written = ask_and_export(viewer, None, per_region=False)
    hidden = f"hidden: its {volume_text(voxels * voxel_ml)} ml are included anyway"
    missing = "missing: there will be no enhancing tumour, and its tissue will count as necrosis"
    expected = hidden if state == "hidden" else missing
    assert len(asked) == 1 and f"Pat: ET is {expected}." in asked[0]
    assert bool(written) is (tmp_path / "mask.nii.gz").exists() is anyway


@pytest.mark.parametrize("anyway", [pytest.param(True, marks=pytest.mark.one_binding), False])
def test_a_painted_copy_of_a_region_is_asked_about(viewer, tmp_path, monkeypatch, messages, anyway):
    """It looks like the region, but what is painted there is in no file."""
    viewer.layers.selection = {viewer.layers["Pat ET"]}
    _duplicate_layer(viewer.layers)
    asked = answer_with(monkeypatch, tmp_path / "mask.nii.gz", anyway)
    written = ask_and_export(viewer, None, per_region=False)
    assert len(asked) == 1
    assert "Pat ET copy is not a region and will be left out" in asked[0]
    assert bool(written) is (tmp_path / "mask.nii.gz").exists() is anyway


def test_an_expert_mask_beside_the_images_is_refused_without_a_question(
    make_napari_viewer, tmp_path, monkeypatch, messages
):
    folder = write_case_along(tmp_path / "Pat", "RAS")
    viewer = make_napari_viewer()
    # Opened one by one, the images know nothing of the mask.
    layers = [open_case(viewer, [p])[0] for p in sorted(folder.glob("*_t*.nii.gz"))]
    assert all(case_of(layer).labels_path is None for layer in layers)
    case = case_of(layers[0])
    empty = np.zeros(case.grid.shape, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, empty, case.grid))
    expert = folder / "Pat_seg.nii.gz"
    before = expert.read_bytes()
    asked = answer_with(monkeypatch, expert, replace=True)
    assert ask_and_export(viewer, None, per_region=False) == []
    assert asked == [] and "one of the case's files" in messages[-1]
    assert expert.read_bytes() == before


@pytest.mark.one_binding
def test_the_mask_of_another_case_is_refused_without_a_question(
    make_napari_viewer, tmp_path, monkeypatch, messages
):
    viewer = make_napari_viewer()
    for name in ("Other", "Pat"):
        case = case_of(open_case(viewer, write_case_along(tmp_path / name, labels=False))[0])
    classes = np.full(case.grid.shape, 3, np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    mask = tmp_path / "Other" / "Other_smalltumor.nii.gz"
    mask.write_bytes(b"of the other")
    asked = answer_with(monkeypatch, mask, replace=True)
    assert ask_and_export(viewer, None, per_region=False) == [] and asked == []
    assert "would be a mask of Other" in messages[0] and mask.read_bytes() == b"of the other"


def test_the_proposed_name_is_that_of_no_source(viewer, monkeypatch):
    proposed = []
    dialog = lambda *a, **k: (proposed.append(a[2]), ("", ""))[1]  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)
    ask_and_export(viewer, None, per_region=False)
    assert proposed[0].endswith("Pat_smalltumor.nii.gz")


def test_an_export_without_regions_is_reported(make_napari_viewer, messages):
    assert ask_and_export(make_napari_viewer(), None, per_region=False) == []
    assert "segment a case first" in messages[0]


@pytest.mark.one_binding
def test_a_missing_folder_is_reported(viewer, tmp_path, monkeypatch, messages):
    answer_with(monkeypatch, tmp_path / "nowhere" / "mask.nii.gz")
    assert ask_and_export(viewer, None, per_region=False) == []
    assert "does not exist" in messages[0]


@pytest.mark.one_binding
def test_the_menu_command_exports_from_a_viewer_proxy(viewer, tmp_path, monkeypatch, messages):
    answer_with(monkeypatch, tmp_path / "mask.nii.gz")
    export_active(PublicOnlyProxy(viewer))
    assert messages == [f"Wrote mask.nii.gz to {tmp_path}"]


@pytest.mark.one_binding
def test_a_name_with_the_ending_of_another_kind_of_file_is_refused(
    viewer, tmp_path, monkeypatch, messages
):
    answer_with(monkeypatch, tmp_path / "x.txt")
    assert ask_and_export(viewer, None, per_region=False) == []
    assert messages == ["x.txt: the name of a mask ends in .nii.gz or .nii"]
    assert list(tmp_path.iterdir()) == []
