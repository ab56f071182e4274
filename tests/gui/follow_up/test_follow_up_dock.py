"""The Follow-up dock compares the active patient's regions with an earlier scan."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from follow_up_scans import compared, later, words, write_scan
from report_cases import AFFINE, Page, tumour
from shown_layers import show_segmentation
from smalltumor.data.made_by import SEEN_IN_TRAINING
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation, write_segmentation
from smalltumor.errors import CaseError
from smalltumor.follow_up import compare
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.shown_reference import show_reference
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.save import save
from napari_smalltumor.follow_up import dock as dock_module
from napari_smalltumor.follow_up import page
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.layers.masks.reference import reference_layers
from napari_smalltumor.layers.metadata import role_of, set_role
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.report.stated_details import StatedDetails


@pytest.mark.slow
def test_new_lesions_are_listed_first_and_the_earlier_scan_is_shown(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    assert words(dock) == ["new", "grown", "gone"]
    assert dock.headline.text().startswith("1 new enhancing lesion")
    assert "RANO, from measurements only: " in dock.response.text()
    assert "has not been checked against their texts" in dock.response.text()
    viewer = dock._viewer
    image = viewer.layers["BraTS2021_2 earlier scan"]
    assert not image.visible
    shown = reference_layers(active_patient(viewer).layers)
    assert len(shown) == 3 and not any(layer.editable for layer in shown.values())


@pytest.mark.slow
def test_reasons_to_doubt_stay_above_the_category_and_are_those_of_the_page(
    dock, qtbot, earlier_scan, monkeypatch, tmp_path
):
    compared(dock, qtbot, earlier_scan)
    assert dock.warnings.isVisibleTo(dock)
    reasons = dock.comparison.warnings
    assert (
        "the names of the cases belong to several patients: BraTS2021_1 and BraTS2021_2"
    ) in reasons
    assert any("masks are of different origin" in reason for reason in reasons)
    assert dock.warnings.text().splitlines()[1:] == [f"• {reason}" for reason in reasons]
    assert dock.layout().indexOf(dock.warnings) < dock.layout().indexOf(dock.response)
    monkeypatch.setattr(page, "ask_for_details", lambda *a: StatedDetails("", ("", "")))
    monkeypatch.setattr(
        page, "ask_for_page", lambda *a: Destination.confirmed(None, tmp_path / "page.html", "")
    )
    dock.report()
    qtbot.waitUntil((tmp_path / "page.html").exists)
    found = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert all(reason in found.text for reason in reasons)


@pytest.mark.slow
@pytest.mark.parametrize("is_saved", [True, False])
def test_a_mask_of_others_is_said_beside_regions_that_were_saved_and_read_again(
    dock, qtbot, earlier_scan, is_saved
):
    """A mask that was read has no network's result any more."""
    viewer = dock._viewer
    (saved,) = save(viewer, None)
    close_patient(viewer, active_patient(viewer).current)
    if is_saved:
        case = read_case(earlier_scan)
        mask = Segmentation(case.name, tumour(), case.grid, case.header)
        write_segmentation(mask, earlier_scan / f"{case.name}_smalltumor.nii.gz")
    open_case(viewer, saved.parent)
    compared(dock, qtbot, earlier_scan)
    of_others = "that of BraTS2021_1 from another source, according to the file names"
    assert (of_others in dock.warnings.text()) != is_saved
    assert "regions in the window" not in dock.warnings.text()


@pytest.mark.slow
def test_current_regions_of_a_network_that_has_seen_the_patient_are_doubted(
    dock, qtbot, earlier_scan
):
    layer = dock._viewer.layers["BraTS2021_2 ET"]
    run = InferenceRun(1.0, "cpu", "torch", "mine", digest="0", seen_in_training=True)
    shown = replace(role_of(layer).result, run=run, made_by=run.made_by)
    for name in ("ET", "TC", "WT"):
        layer = dock._viewer.layers[f"BraTS2021_2 {name}"]
        set_role(layer, replace(role_of(layer), result=shown))
    compared(dock, qtbot, earlier_scan)
    assert f"BraTS2021_2: {SEEN_IN_TRAINING}" in dock.warnings.text()


@pytest.mark.slow
def test_a_reference_that_the_user_has_chosen_stays(dock, qtbot, earlier_scan):
    viewer, case = dock._viewer, dock_module.case_to_export(dock._viewer)
    masks = {Region.ET: np.ones(viewer.layers["BraTS2021_2 ET"].data.shape, np.uint8)}
    show_reference(viewer, case, masks, ReferenceChoice("expert", path=earlier_scan))
    (chosen,) = reference_layers(active_patient(viewer).layers).values()
    for _ in range(2):
        compared(dock, qtbot, earlier_scan)
        assert list(reference_layers(active_patient(viewer).layers).values()) == [chosen]
        assert "not shown, but those of another reference" in dock.message.text()
    viewer.layers.remove(chosen)
    compared(dock, qtbot, earlier_scan)
    assert len(reference_layers(active_patient(viewer).layers)) == 3
    assert "contours are shown as the reference" in dock.message.text()
    assert not dock.contours_button.isVisibleTo(dock)


@pytest.mark.slow
def test_one_click_shows_the_earlier_contours_in_place_of_another_reference(
    dock, qtbot, earlier_scan
):
    viewer, case = dock._viewer, dock_module.case_to_export(dock._viewer)
    compared(dock, qtbot, earlier_scan)
    assert not dock.contours_button.isVisibleTo(dock)
    masks = {Region.ET: np.ones(viewer.layers["BraTS2021_2 ET"].data.shape, np.uint8)}
    show_reference(viewer, case, masks, ReferenceChoice("expert", path=earlier_scan))
    assert dock.contours_button.isVisibleTo(dock)
    dock.contours_button.click()
    shown = reference_layers(active_patient(viewer).layers)
    assert len(shown) == 3 and shown[Region.ET].data.sum() == np.sum(tumour() == 3)
    assert not dock.contours_button.isVisibleTo(dock)
    assert "contours are shown as the reference" in dock.message.text()


@pytest.mark.slow
def test_the_lesion_of_a_row_is_the_one_under_review(dock, qtbot, earlier_scan):
    """Its white ring is not left on another lesion, which keys would accept or delete."""
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    review = LesionReview(viewer)
    review.set_lesions(review.source.snapshot(Region.ET).lesions(2000))
    assert words(dock) == ["new", "grown", "gone"]
    for row in range(2):
        dock.table.selectRow(row)
        lesion = dock.comparison.lesion_of(dock.model.changes[row])
        assert review.current.centroid_voxel == pytest.approx(lesion.centroid_voxel)
    dock.table.selectRow(2)
    assert review.current is None
    review.close()


@pytest.mark.slow
def test_the_dialog_opens_beside_the_folder_of_the_patient(dock, monkeypatch, tmp_path):
    asked: list[str] = []
    monkeypatch.setattr(
        dock_module.QFileDialog,
        "getExistingDirectory",
        lambda parent, title, folder: asked.append(folder) or "",
    )
    assert "Choose the folder of an earlier scan" in dock.message.text()
    dock.choose_button.click()
    assert asked == [str(tmp_path)]


@pytest.mark.slow
def test_steps_go_to_the_lesions(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    viewer = dock._viewer
    slices = []
    for _ in range(3):
        dock.step(1)
        change = dock.model.changes[dock.table.currentIndex().row()]
        lesion = dock.comparison.lesion_of(change)
        at = viewer.layers["BraTS2021_2 ET"].world_to_data(viewer.dims.point)
        slices.append((round(at[0]), lesion.slices[0]))
    assert all(shown == expected for shown, expected in slices)
    dock.step(1)
    assert dock.table.currentIndex().row() == 0


@pytest.mark.slow
def test_an_edit_makes_the_comparison_old_and_it_can_be_renewed(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    assert "Compared with BraTS2021_1. " in dock.message.text()
    assert "Its mask: BraTS2021_1_seg.nii.gz, label scheme brats2018" in dock.message.text()
    et = dock._viewer.layers["BraTS2021_2 ET"]
    et.data_setitem(np.nonzero(et.data), 0)
    qtbot.waitUntil(lambda: "have changed since" in dock.message.text())
    dock.compare_again()
    qtbot.waitUntil(lambda: not dock.busy)
    assert words(dock) == ["gone", "gone"]
    assert sum("earlier scan" in layer.name for layer in dock._viewer.layers) == 1


@pytest.mark.slow
def test_a_failed_attempt_does_not_hide_that_the_comparison_is_old(
    dock, qtbot, earlier_scan, tmp_path
):
    compared(dock, qtbot, earlier_scan)
    assert "Compared with BraTS2021_1. " in dock.message.text()
    et = dock._viewer.layers["BraTS2021_2 ET"]
    et.data_setitem(np.nonzero(et.data), 0)
    compared(dock, qtbot, tmp_path / "nowhere")
    assert "nowhere" in dock.message.text() and "have changed since" in dock.message.text()


@pytest.mark.slow
def test_a_region_without_a_layer_is_not_measured(dock, qtbot, earlier_scan, monkeypatch):
    monkeypatch.setattr(dock_module, "confirm_regions", lambda *arguments: True)
    del dock._viewer.layers["BraTS2021_2 TC"]
    compared(dock, qtbot, earlier_scan)
    volumes = dock.comparison.follow_up.current.measures.volumes_ml
    assert volumes["et"] > 0
    assert [volumes[name] for name in ("tc", "wt", "ncr", "ed")] == [None] * 4


@pytest.mark.slow
def test_each_patient_has_its_own_comparison(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, earlier_scan)
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    first = patients.current
    open_case(viewer, write_scan(tmp_path / "BraTS2021_3", tumour()))
    assert dock.model.rowCount() == 0 and not dock.headline.isVisibleTo(dock)
    assert not dock.flicker_button.isEnabled()
    patients.activate(first)
    assert words(dock) == ["new", "grown", "gone"]


@pytest.mark.slow
def test_regions_of_an_earlier_scan_that_is_open_are_said_not_to_count(dock, qtbot, earlier_scan):
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    compared(dock, qtbot, earlier_scan)
    current = patients.current
    open_case(viewer, earlier_scan)
    case = next(iter(patients.layers)).metadata["smalltumor"].role.case
    patients.activate(current)
    assert "is open too" not in dock.message.text()
    show_segmentation(viewer, case, Segmentation(case.name, tumour(), case.grid))
    patients.activate(current)
    assert "BraTS2021_1 is open too; its mask here is that of the file" in dock.message.text()


@pytest.mark.slow
def test_an_earlier_mask_with_a_doubtful_header_is_compared_with_a_warning(
    dock, qtbot, earlier_scan
):
    (path,) = earlier_scan.glob("*_seg.nii.gz")
    image = nib.load(path)
    qform = image.affine.copy()
    qform[:3, 3] += 9
    image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
    image.set_sform(image.affine, code=1)
    image.set_qform(qform, code=1)
    nib.save(image, path)
    compared(dock, qtbot, earlier_scan)
    assert words(dock) == ["new", "grown", "gone"]
    assert "sform and qform disagree about the position" in dock.warnings.text()


@pytest.mark.one_binding
def test_another_head_is_refused_in_the_dock(dock, qtbot, earlier_scan, monkeypatch):
    def refuse(*arguments):
        raise CaseError("A and B do not seem to show the same head")

    monkeypatch.setattr(compare, "register_scans", refuse)
    compared(dock, qtbot, earlier_scan)
    titles = f"{active_patient(dock._viewer).title} compared with {earlier_scan.name}: "
    assert titles in dock.message.text()
    assert "do not seem to show the same head" in dock.message.text()
    assert dock.model.rowCount() == 0 and dock.choose_button.isEnabled()


@pytest.mark.slow
def test_the_page_states_what_was_typed_and_is_refused_if_old(
    dock, qtbot, earlier_scan, monkeypatch, tmp_path
):
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(notify, "error", shown.append)

    def details(parent, title, scans):
        names = {scan: case.name for scan, case in scans.items()}
        assert names == {"the earlier scan": "BraTS2021_1", "the current scan": "BraTS2021_2"}
        return StatedDetails("A. Reader", ("2026-01", "2026-02"))

    monkeypatch.setattr(page, "ask_for_details", details)
    monkeypatch.setattr(
        page, "ask_for_page", lambda *a: Destination.confirmed(None, tmp_path / "page.html", "")
    )
    compared(dock, qtbot, earlier_scan)
    dock.report()
    qtbot.waitUntil(lambda: bool(shown))
    text = (tmp_path / "page.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert shown == [f"Wrote page.html to {tmp_path}"]
    assert "belong to several patients: BraTS2021_1 and BraTS2021_2" in text
    assert "1 new enhancing lesion" in text and "2026-02 with 2026-01" in text
    assert "A. Reader" in text and "BraTS2021_1_seg.nii.gz" in text
    dock._viewer.layers["BraTS2021_2 ET"].data[20, 30, 22] = 0
    dock.report()
    assert "compare again" in shown[-1]


def test_the_scan_that_is_open_is_refused(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, tmp_path / "BraTS2021_2")
    assert "is the scan that is open" in dock.message.text()


@pytest.mark.slow
def test_a_mask_exported_beside_the_earlier_scan_goes_before_the_experts(dock, qtbot, earlier_scan):
    stored = np.where(later() == 3, 4, later()).astype(np.uint8)
    exported = earlier_scan / "BraTS2021_1_smalltumor.nii.gz"
    nib.save(nib.Nifti1Image(stored, AFFINE), exported)
    compared(dock, qtbot, earlier_scan)
    assert exported.name in dock.message.text()
    assert words(dock) == ["same", "same"]


def test_without_regions_it_says_what_to_do(make_napari_viewer):
    dock = FollowUpDock(make_napari_viewer())
    assert "Segment the case" in dock.message.text()
    assert not dock.choose_button.isEnabled()
