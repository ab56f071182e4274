"""Masks that record other images do not lie on those of a patient of the same name."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.errors import CaseError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.compare.choices import expert_file
from napari_smalltumor.compare.reference_file import read_reference
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.export.dialogs.replaced_masks import note_on_replaced
from napari_smalltumor.follow_up.comparison import compare_with_earlier
from napari_smalltumor.layers.masks.region_masks import other_images_among, other_images_of
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.widgets import readable_messages


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    shown: list[str] = []
    for kind in ("warn", "error"):
        monkeypatch.setattr(notify, kind, shown.append)
    return shown


@pytest.fixture
def hospitals(tmp_path) -> tuple[Path, Path]:
    """Two patients named case1, on the same grid."""
    one, other = (write_case_along(tmp_path / n / "case1", labels=False) for n in "AB")
    for path in other.iterdir():
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj) * 2, image.affine), path)
    return one, other


def renamed(folder: Path, name: str) -> Path:
    """The folder of a case, with its images, under another name."""
    for path in folder.iterdir():
        path.rename(folder / path.name.replace(folder.name, name))
    return folder.rename(folder.with_name(name))


def mask_of(case: Case) -> Segmentation:
    classes = np.random.default_rng(3).integers(0, 4, case.grid.shape).astype(np.uint8)
    classes[np.logical_and.reduce([volume == 0 for volume in case.volumes.values()])] = 0
    return Segmentation(case.name, classes, case.grid, case.header, made_of=digests_of_images(case))


def exported(folder: Path, path: Path, *, per_region: bool = False) -> list[Path]:
    """Masks of a case that was opened, segmented and exported in a window of its own."""
    viewer = ViewerModel()
    open_case(viewer, folder)
    case = case_of(viewer.layers[0])
    show_segmentation(viewer, case, mask_of(case))
    path.parent.mkdir(exist_ok=True)
    return export_case(viewer, case, path, scheme="brats2018", per_region=per_region)


def opened(*paths: Path) -> ViewerModel:
    viewer = ViewerModel()
    for path in paths:
        open_and_remember(viewer, path)
    return viewer


def patients(viewer: ViewerModel) -> set:
    return {patient_of(layer) for layer in viewer.layers}


@pytest.mark.parametrize("per_region", [False, True])
def test_a_mask_of_another_patient_of_the_name_is_a_patient_of_its_own(
    hospitals, tmp_path, warned, per_region
):
    one, other = hospitals
    masks = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz", per_region=per_region)
    warned.clear()
    viewer = opened(other, *masks)
    case = case_of(viewer.layers[0])
    assert len(patients(viewer)) == 2 and region_layers(viewer.layers, case) == {}
    regions = [layer for layer in viewer.layers if region_of(layer) is not None]
    assert {patient_of(layer).folder for layer in regions} == {tmp_path / "masks"}
    assert warned and all("made of other images than those of case1" in text for text in warned)
    assert len(warned) == len(masks)


def test_the_message_names_the_other_folder_and_ends_when_the_mask_joins_its_images(
    hospitals, tmp_path, warned, monkeypatch
):
    one, other = hospitals
    (mask,) = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz")
    warned.clear()
    viewer, closed = ViewerModel(), set()
    monkeypatch.setattr("napari.viewer.current_viewer", lambda: viewer)
    monkeypatch.setattr(readable_messages, "close_messages", closed.update)
    for path in (other, mask):
        open_and_remember(viewer, path)
    (text,) = warned
    assert f"than those of case1 ({other}), such as" in text and text not in closed
    open_and_remember(viewer, one)
    assert len(patients(viewer)) == 2 and text in closed


@pytest.mark.parametrize("mask_first", [False, True])
def test_the_mask_joins_its_own_patient_in_either_order(hospitals, tmp_path, warned, mask_first):
    one, _ = hospitals
    masks = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz")
    warned.clear()
    viewer = opened(*([*masks, one] if mask_first else [one, *masks]))
    assert len(patients(viewer)) == 1 and warned == []


def test_a_mask_that_was_opened_before_the_other_patient_is_told_of(hospitals, tmp_path, warned):
    one, other = hospitals
    masks = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz")
    warned.clear()
    viewer = opened(*masks, other)
    assert len(patients(viewer)) == 2
    assert len(warned) == 1 and "made of other images" in warned[0]


@pytest.mark.parametrize("name", ["case1_smalltumor", "case1_labels_edited"])
@pytest.mark.parametrize("other_name", ["case1", "case2"])
def test_a_mask_that_has_joined_its_patient_is_not_told_of_when_another_is_opened(
    hospitals, tmp_path, warned, name, other_name
):
    one, other = hospitals
    masks = exported(one, tmp_path / "masks" / f"{name}.nii.gz")
    other = renamed(other, other_name)
    warned.clear()
    viewer = opened(one, *masks)
    assert len(patients(viewer)) == 1
    open_and_remember(viewer, other)
    assert len(patients(viewer)) == 2 and warned == []


@pytest.mark.parametrize(
    ("name", "other_name", "is_told"),
    [
        ("corrected", "case1", False),
        ("case1_labels_edited", "case2", False),
        ("case1_labels_edited", "case1", True),
    ],
)
def test_a_mask_alone_is_told_of_when_another_patient_of_its_name_is_opened(
    hospitals, tmp_path, warned, name, other_name, is_told
):
    one, other = hospitals
    masks = exported(one, tmp_path / "masks" / f"{name}.nii.gz")
    warned.clear()
    viewer = opened(*masks, renamed(other, other_name))
    assert len(patients(viewer)) == 2 and len(warned) == is_told


def test_a_mask_without_the_name_of_a_case_does_not_join_the_active_patient_either(
    hospitals, tmp_path, warned
):
    one, other = hospitals
    exported(one, tmp_path / "masks" / "corrected.nii.gz")
    warned.clear()
    viewer = opened(other, tmp_path / "masks" / "corrected.nii.gz")
    assert len(patients(viewer)) == 2 and "corrected.nii.gz was made of other images" in warned[0]
    viewer = opened(one, tmp_path / "masks" / "corrected.nii.gz")
    assert len(patients(viewer)) == 1


def test_masks_that_record_others_beside_their_own_images_are_opened_if_they_are_chosen(
    hospitals, warned
):
    one, other = hospitals
    of_one = mask_of(read_case(one))
    write_segmentation(of_one, other / "case1_seg.nii.gz")
    write_regions(of_one, other / "case1_smalltumor.nii.gz")
    viewer = opened(other)
    case = case_of(viewer.layers[0])
    assert len(viewer.layers) == 4 and not region_layers(viewer.layers, case)
    assert len(warned) == 2 and expert_file(viewer) is None
    assert all("was made of other images" in t and "was not opened" in t for t in warned)
    warned.clear()
    open_and_remember(viewer, other / "case1_smalltumor_et.nii.gz")
    assert Region.ET in region_layers(viewer.layers, case) and len(warned) == 1
    assert "prepared again" in warned[0] and len(patients(viewer)) == 1
    et = region_layers(viewer.layers, case)[Region.ET]
    assert "case1_smalltumor_et.nii.gz was made" in other_images_of([et], case)
    assert set(read_reference(other / "case1_seg.nii.gz", case)) == set(Region)
    assert len(warned) == 2 and all("prepared again" in text for text in warned)


@pytest.mark.parametrize("is_first", [True, False])
def test_an_experts_mask_of_others_beside_the_images_says_so_as_long_as_it_is_shown(
    hospitals, warned, is_first
):
    one, other = hospitals
    path = other / "case1_seg.nii.gz"
    write_segmentation(mask_of(read_case(one)), path)
    viewer = opened(*((path, other) if is_first else (other, path)))
    assert len(patients(viewer)) == 1 and len(viewer.layers) == 5
    assert "case1" in other_images_among(viewer.layers)
    assert "was made of other images" in other_images_among(viewer.layers)
    assert any("because it lies beside them" in text for text in warned)
    assert not any("a patient of its own" in text for text in warned)


def test_edits_of_a_mask_of_others_are_restored_with_what_is_said_of_it(hospitals, warned):
    one, other = hospitals
    path = other / "case1_smalltumor.nii.gz"
    write_segmentation(mask_of(read_case(one)), path)
    viewer = opened(other, path)
    autosave = ensure_autosave(viewer).autosave
    case = case_of(viewer.layers[0])
    text = other_images_of(viewer.layers, case)
    et = region_layers(viewer.layers, case)[Region.ET]
    et.data_setitem(tuple(np.array([2]) for _ in range(3)), 1 - int(et.data[2, 2, 2]))
    autosave.save()
    autosave.wait()
    file = autosave.folder.file_of(case)
    again = opened(other)
    case = case_of(again.layers[0])
    assert not region_layers(again.layers, case)
    restore(again, case, read_masks(file))
    assert text and other_images_of(again.layers, case) == text
    show_segmentation(again, case, mask_of(case))
    assert other_images_of(again.layers, case) == ""
    restore(again, case, read_masks(file))
    assert other_images_of(again.layers, case) == text


def test_a_mask_of_others_beside_the_images_without_the_name_of_the_case_is_refused(
    hospitals, warned
):
    one, other = hospitals
    path = other / "corrected.nii.gz"
    write_segmentation(mask_of(read_case(one)), path)
    with pytest.raises(CaseError, match="made of other images"):
        read_reference(path, read_case(other))


def test_a_mask_that_names_nobody_has_not_the_name_of_a_case_that_is_called_case(hospitals, warned):
    one, other = hospitals
    (path := other / "corrected.nii.gz").touch()
    case = read_case(other)
    case.name = "case"  # as that of files whose names are unsafe
    write_segmentation(mask_of(read_case(one)), path, overwrite=True)
    with pytest.raises(CaseError, match="made of other images"):
        read_reference(path, case)


def test_masks_that_were_exported_beside_their_images_open_with_them(hospitals, warned):
    one, _ = hospitals
    exported(one, one / "case1_smalltumor.nii.gz")
    viewer = opened(one)
    assert set(region_layers(viewer.layers, case_of(viewer.layers[0]))) == set(Region)
    assert warned == []


def test_a_mask_is_not_compared_with_other_images(hospitals, tmp_path, warned):
    one, other = hospitals
    path = tmp_path / "case1_rater_seg.nii.gz"
    write_segmentation(mask_of(read_case(one)), path)
    assert set(read_reference(path, read_case(one))) == set(Region)
    with pytest.raises(CaseError, match="made of other images"):
        read_reference(path, read_case(other))


def test_an_earlier_scan_with_a_mask_of_other_images_is_not_compared(hospitals):
    one, other = hospitals
    case = read_case(one)
    write_segmentation(mask_of(case), other / "case1_smalltumor.nii.gz")
    with pytest.raises(CaseError, match=r"made of other images.*not compared"):
        compare_with_earlier(other, case, mask_of(case), 100.0)


def test_a_mask_alone_keeps_its_record_when_it_is_exported_again(hospitals, tmp_path, warned):
    one, other = hospitals
    (mask,) = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz")
    viewer = opened(mask)
    case = case_of(viewer.layers[0])
    again = tmp_path / "again" / "case1_smalltumor.nii.gz"
    again.parent.mkdir()
    export_case(viewer, case, again, scheme="brats2018")
    assert len(patients(opened(other, again))) == 2
    assert len(patients(opened(one, again))) == 1


def test_the_question_before_a_mask_is_replaced_says_that_it_is_of_others(hospitals, tmp_path):
    one, other = hospitals
    path = tmp_path / "case1_smalltumor.nii.gz"
    write_segmentation(mask_of(read_case(one)), path)
    assert note_on_replaced([path], read_case(one), unknown="unknown") == ""
    assert "made of other images" in note_on_replaced([path], read_case(other), unknown="unknown")
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)
    assert note_on_replaced([path], read_case(other), unknown="unknown") == "unknown"


def test_the_active_patient_of_the_mask_is_named_with_its_folder(hospitals, tmp_path, warned):
    one, other = hospitals
    masks = exported(one, tmp_path / "masks" / "case1_smalltumor.nii.gz")
    viewer = opened(other, *masks)
    shown = active_patient(viewer)
    assert shown.title_of(shown.current) == "case1 (masks)"
