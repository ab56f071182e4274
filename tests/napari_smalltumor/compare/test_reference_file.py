"""A mask is read as a reference if it is on the case's grid and not of another patient."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer
from napari_cases import oriented, random_volume, write_case_along
from slicer_files import write_segments
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import check_patient
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import Action, CaseError, GridMismatchError, LabelError
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES

from napari_smalltumor import notify
from napari_smalltumor.compare.reference_file import read_reference, told_regions_of_layer
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.loading.labels.layers import labels_in_scheme

STORED = np.array([0, 1, 2, 4], np.uint8)[random_volume(9) % 4]


@pytest.fixture
def case(tmp_path) -> Case:
    return read_case(write_case_along(tmp_path / "P_01", "PSR"))


def write(path: Path, stored: np.ndarray = STORED, axcodes: str = "PSR") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(oriented(stored, axcodes), path)
    return path


def test_the_expert_mask_of_the_case_is_read_by_region(case):
    masks = read_reference(case.labels_path, case)
    stored = to_display(np.asarray(nib.load(case.labels_path).dataobj), case.grid)
    assert np.array_equal(masks[Region.ET], stored == 4)
    assert np.array_equal(masks[Region.TC], np.isin(stored, (1, 4)))
    assert np.array_equal(masks[Region.WT], stored != 0)


def test_an_exported_mask_and_the_mask_of_one_region_are_read(case, tmp_path):
    exported = read_reference(write(tmp_path / "P_01_smalltumor.nii.gz"), case)
    assert set(exported) == set(Region)
    one = read_reference(write(tmp_path / "P_01_wt.nii.gz", (STORED > 0).astype(np.uint8)), case)
    assert set(one) == {Region.WT}
    assert np.array_equal(one[Region.WT], exported[Region.WT])


@pytest.mark.parametrize("name", ["P_01_reader-ET", "P_01_reader_wt"])
def test_a_label_file_of_this_program_is_one_whatever_its_name_ends_in(case, tmp_path, name):
    """The scheme in its header goes before the name, as for every other command."""
    stored = np.asarray(nib.load(case.labels_path).dataobj)
    classes = np.where(stored == 4, 3, stored).astype(np.uint8)
    path = tmp_path / f"{name}.nii.gz"
    write_segmentation(Segmentation("P_01", classes, case.grid, case.header), path)
    masks = read_reference(path, case)
    assert set(masks) == set(Region)
    assert np.array_equal(masks[Region.ET], to_display(stored == 4, case.grid))
    exported = tmp_path / "P_01_smalltumor_et.nii.gz"
    path.rename(exported)
    masks = read_reference(exported, case)
    assert set(masks) == {Region.ET}
    assert np.array_equal(masks[Region.ET], to_display(stored == 4, case.grid))


def test_labels_without_a_header_are_no_mask_of_a_region_by_their_name(case, tmp_path):
    masks = read_reference(write(tmp_path / "P_01_seg-ET.nii.gz"), case, "brats2018")
    stored = np.asarray(nib.load(case.labels_path).dataobj)
    assert np.array_equal(masks[Region.ET], to_display(stored == 4, case.grid))


def test_the_only_segment_of_a_slicer_file_names_its_region(case, tmp_path):
    path = tmp_path / "P_01.seg.nrrd"
    tumour = np.asarray(nib.load(case.labels_path).dataobj) > 0
    write_segments(path, tumour.astype(np.uint8), case.grid, [("Whole Tumor", 1)])
    masks = read_reference(path, case)
    assert set(masks) == {Region.WT}
    assert np.array_equal(masks[Region.WT], to_display(tumour, case.grid))


def test_only_regions_that_a_label_file_tells_are_compared_and_a_warning_says_so(
    case, tmp_path, monkeypatch
):
    warned = []
    monkeypatch.setattr(notify, "warn", warned.append)
    path = write(tmp_path / "P_01_reader2.nii.gz", np.minimum(STORED, 2))
    masks = read_reference(path, case, "hd-glio")
    assert set(masks) == {Region.ET}
    assert warned == [
        "P_01_reader2.nii.gz has no class for necrosis or non-enhancing core, so that TC and WT "
        "are not compared"
    ]


def test_a_label_file_that_tells_no_region_is_refused(case, tmp_path):
    edema = (np.asarray(nib.load(case.labels_path).dataobj) == 2).astype(np.uint8)
    path = tmp_path / "P_01.seg.nrrd"
    write_segments(path, edema, case.grid, [("edema", 1)])
    with pytest.raises(CaseError, match="ET, TC and WT are not compared"):
        read_reference(path, case)


def test_a_layer_tells_the_regions_of_its_file_and_of_what_is_painted(case, tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(notify, "warn", warned.append)
    volume = read_label_volume(write(tmp_path / "P_01_seg.nii.gz", np.minimum(STORED, 2)))
    layer = Layer.create(*labels_in_scheme(case, volume, READ_SCHEMES["hd-glio"]))
    assert told_regions_of_layer(layer) == (Region.ET,)
    assert len(warned) == 1 and "TC and WT are not compared" in warned[0]
    layer.data[0, 0, 0] = SCHEMES["brats2018"].ncr
    assert told_regions_of_layer(layer) == tuple(Region)
    assert len(warned) == 1


def test_a_mask_beside_the_images_whose_name_tells_no_scheme_has_that_of_the_case(case):
    masks = read_reference(write(case.labels_path.with_name("corrected.nii.gz")), case)
    expert = read_reference(case.labels_path, case)
    assert all(np.array_equal(masks[region], expert[region]) for region in Region)


def test_the_scheme_of_a_mask_elsewhere_that_its_name_does_not_tell_is_asked_for(case, tmp_path):
    with pytest.raises(LabelError) as raised:
        read_reference(write(tmp_path / "elsewhere" / "corrected.nii.gz"), case)
    assert raised.value.remedy.action is Action.NAME_SCHEME


def test_another_grid_is_refused_in_a_sentence_that_names_both(case, tmp_path):
    image = oriented(STORED, "PSR")
    affine = image.affine.copy()
    affine[:3, 3] += 9
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), tmp_path / "P_01_seg.nii.gz")
    with pytest.raises(GridMismatchError, match=r"P_01_seg.nii.gz is on another grid than P_01"):
        read_reference(tmp_path / "P_01_seg.nii.gz", case)


@pytest.mark.parametrize("name", ["P_02_seg", "P_02_smalltumor", "P_02", "P_02_pred", "Other_seg"])
def test_a_mask_of_another_patient_is_refused(case, tmp_path, name):
    with pytest.raises(CaseError, match=r"by its name, .* is a mask of .*, not of P_01"):
        read_reference(write(tmp_path / "elsewhere" / f"{name}.nii.gz"), case)


@pytest.mark.parametrize(
    "name",
    [
        *("P_01", "P_01_pred", "p_01_seg", "P_01_2_seg", "corrected", "seg", "2024_mask_of_me"),
        *("reader2_seg", "final_seg", "corrected_v2_seg"),
    ],
)
def test_a_mask_of_this_patient_or_of_no_stated_patient_is_accepted(case, tmp_path, name):
    check_patient(tmp_path / "elsewhere" / f"{name}.nii.gz", case)


def test_a_second_reader_beside_the_images_is_accepted(case):
    check_patient(next(iter(case.paths.values())).with_name("reader2_seg.nii.gz"), case)


def test_another_scan_of_the_same_patient_is_accepted(case, tmp_path):
    case.name = "UPENN-GBM-00003_11"
    check_patient(tmp_path / "UPENN-GBM-00003_21_segm.nii.gz", case)
    with pytest.raises(CaseError):
        check_patient(tmp_path / "UPENN-GBM-00004_11_segm.nii.gz", case)


def test_values_that_do_not_tell_their_tissue_are_refused(case, tmp_path):
    with pytest.raises(CaseError, match="is not known; end its name in"):
        read_reference(write(tmp_path / "mask.nii.gz", (STORED > 0).astype(np.uint8)), case)
    with pytest.raises(LabelError):
        read_reference(write(tmp_path / "mask.nii.gz", STORED * 20), case)


def test_the_mask_of_another_patient_of_the_name_is_refused_by_the_images_beside_it(tmp_path):
    folders = [write_case_along(tmp_path / side / "Anna") for side in ("here", "there")]
    for image in folders[1].glob("*[!g].nii.gz"):
        read = nib.load(image)
        nib.save(nib.Nifti1Image(np.asarray(read.dataobj) + 3, read.affine), image)
    case = read_case(folders[0])
    assert read_reference(folders[0] / "Anna_seg.nii.gz", case, "brats2018")
    with pytest.raises(CaseError, match="another image than that of Anna"):
        read_reference(folders[1] / "Anna_seg.nii.gz", case, "brats2018")
