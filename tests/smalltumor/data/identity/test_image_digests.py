"""Files of masks record which images they were made of, and nothing else reads differently."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from napari_cases import ORIENTATIONS, case_along, oriented, random_volume, write_case_along
from smalltumor.cli import main
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import (
    are_other_images,
    digests_of_images,
    image_digest,
    images_in_common,
    images_of_mask,
    recorded_images,
    recorded_images_text,
)
from smalltumor.data.masks.case_mask import mask_beside, read_mask
from smalltumor.data.masks.label_files import read_label_volume, read_labels
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.geometry.grid import Grid
from smalltumor.training.data.dataset_check import check_case


def mask_of(case: Case) -> Segmentation:
    classes = np.random.default_rng(3).integers(0, 4, case.grid.shape).astype(np.uint8)
    return Segmentation(case.name, classes, case.grid, case.header, made_of=digests_of_images(case))


def another(case: Case) -> Case:
    """Another patient of the same name, on the same grid."""
    return Case(case.name, {m: v + 3 for m, v in case.volumes.items()}, case.grid, case.header)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_an_image_is_recognised_in_any_order_of_its_axes(axcodes):
    image = oriented(random_volume(4), axcodes)
    reference = oriented(random_volume(4), "LPS")
    digests = [
        image_digest(np.asarray(i.dataobj), Grid(i.shape, i.affine)) for i in (image, reference)
    ]
    assert digests[0] == digests[1] != ""


def test_an_image_is_recognised_by_its_values_whatever_their_type_and_outside_the_brain():
    case = case_along()
    image = np.array(case.volumes["t1ce"])
    corrected = image.copy()
    corrected[:3], corrected[:, -3:] = 0, 0
    known = image_digest(image, case.grid)
    for same in (image.astype(np.float64), image.astype(">f4"), corrected):
        assert image_digest(same, case.grid) == known
    assert image_digest(image + 1, case.grid) != known
    assert image_digest(np.zeros_like(image), case.grid) == ""


def test_a_brain_mask_that_is_corrected_in_the_middle_leaves_the_image_the_same():
    shape = (48, 48, 40)  # the middle begins at 18, 18 and 15
    image, next_patients = (random_volume(seed, shape).astype(np.float32) for seed in (4, 5))
    grid = Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0]))
    record = {"t1ce": image_digest(image, grid)}
    assert all(record["t1ce"].split(","))
    one_voxel, eroded, invalid = image.copy(), image.copy(), image.copy()
    one_voxel[20, 20, 16] = eroded[:22] = 0
    invalid[19] = np.nan
    for corrected in (one_voxel, eroded, invalid):
        digest = image_digest(corrected, grid)
        assert digest != record["t1ce"]
        assert not are_other_images(record, {"t1ce": digest}) and not are_other_images(
            {"t1ce": digest}, record
        )
        assert are_other_images({"t1ce": digest}, {"t1ce": image_digest(next_patients, grid)})


def test_a_t1ce_that_was_moved_is_another_image_and_other_sequences_may_be():
    one, two, other = "a,b,", "c,d,", "e,f,"
    mask = {"t1ce": one, "t2": two}
    assert are_other_images(mask, {"t1ce": other, "t2": two})
    assert not are_other_images(mask, {"t1ce": one, "t2": other})
    assert not are_other_images(mask, {"t1ce": "a,x,", "t2": other})
    assert not are_other_images(mask, {"t1ce": two, "t2": one})  # exchanged
    assert not are_other_images(mask, {"t2": two})


def test_images_without_a_place_in_common_are_not_compared():
    assert not are_other_images({"t1": "a,,"}, {"t1": ",b,"})
    assert are_other_images({"t1": "a,,"}, {"t1": "b,,"})
    assert not are_other_images({"t1": "a,c,"}, {"t1": "b,c,"})


def test_images_in_common_are_told_whatever_their_role():
    case = {"t1ce": "a,b,", "t1": "c,,", "flair": "d,e,"}
    assert images_in_common(case, {"t1ce": "x,y,", "t1": ",b,", "t2": "d,z,"}) == ["t1ce", "flair"]
    assert images_in_common(case, {"t1": "x,y,", "t2": ",,"}) == []
    assert images_in_common({}, case) == []


def test_the_record_of_a_mask_is_read_without_its_voxels(tmp_path):
    segmentation = mask_of(case_along())
    whole, cut = tmp_path / "whole.nii", tmp_path / "cut.nii"
    write_segmentation(segmentation, whole)
    cut.write_bytes(whole.read_bytes()[: -segmentation.classes.size])
    for path in (whole, cut):
        assert images_of_mask(path) == segmentation.made_of != {}
    cut.write_bytes(whole.read_bytes()[:300])
    assert images_of_mask(cut) == images_of_mask(tmp_path / "none.nii.gz") == {}


def test_a_record_of_the_first_version_is_none(tmp_path):
    case = case_along()
    path, comment = tmp_path / "mask.nii", json.dumps({"smalltumor_images": {"t1ce": "0" * 32}})
    write_volume(path, np.ones(case.grid.shape, np.uint8), case.grid, comments=[comment])
    assert recorded_images(read_label_volume(path)) == {}


@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
def test_the_record_is_read_back_and_other_programs_see_the_same_volume(tmp_path, ending):
    sitk = pytest.importorskip("SimpleITK")
    case = case_along("RAS")
    made, plain = tmp_path / f"made{ending}", tmp_path / f"plain{ending}"
    segmentation = mask_of(case)
    write_segmentation(segmentation, made)
    write_segmentation(Segmentation(case.name, segmentation.classes, case.grid, case.header), plain)
    volume = read_label_volume(made)
    assert recorded_images(volume) == digests_of_images(case)
    assert recorded_images(read_label_volume(plain)) == {}
    one, other = nib.load(made), nib.load(plain)
    np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
    np.testing.assert_array_equal(one.affine, other.affine)
    np.testing.assert_array_equal(np.asarray(one.dataobj), volume.data)
    first, second = (sitk.ReadImage(str(path)) for path in (made, plain))
    np.testing.assert_array_equal(*(sitk.GetArrayFromImage(i) for i in (first, second)))
    for place in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(first, place)() == getattr(second, place)()
    again = tmp_path / f"again{ending}"
    write_segmentation(segmentation, again)
    assert again.read_bytes() == made.read_bytes()


@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_record_is_read_from_every_kind_of_nifti_header(tmp_path, kind, order):
    case = case_along()
    case.header = kind.from_header(case.header)
    segmentation, path = mask_of(case), tmp_path / "mask.nii"
    write_segmentation(segmentation, path)
    image = nib.load(path)
    swapped = type(image)(np.asarray(image.dataobj), None, image.header.as_byteswapped(order))
    swapped.header.extensions = image.header.extensions
    swapped.to_filename(tmp_path / "swapped.nii")
    for written in (path, tmp_path / "swapped.nii"):
        assert recorded_images(read_label_volume(written)) == digests_of_images(case)


def test_the_record_names_nobody(tmp_path):
    case = case_along(name="Anna_Meier")
    write_segmentation(mask_of(case), tmp_path / "mask.nii")
    content = (tmp_path / "mask.nii").read_bytes()
    assert b"Anna" not in content and b"smalltumor_images" in content


def test_one_image_in_common_is_enough_and_nothing_is_said_of_what_is_not_known():
    case = case_along()
    own, others = digests_of_images(case), digests_of_images(another(case))
    assert not are_other_images(own, own) and are_other_images(own, others)
    assert not are_other_images(own, {**others, "t1ce": own["t1ce"]})
    assert not are_other_images(own, {**others, "t1": own["t1ce"]})  # exchanged
    assert not are_other_images({"t1ce": own["t1ce"]}, {"t2": others["t2"]})
    assert not are_other_images({}, others) and not are_other_images(own, {})


def test_a_mask_of_another_patient_is_told_of_by_name_or_beside_the_images(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    beside = tmp_path / "Pat" / "Pat_smalltumor.nii.gz"
    write_segmentation(mask_of(case), beside)
    assert read_mask(beside, case).other_images == mask_beside(case).other_images == ""
    write_segmentation(mask_of(another(case)), beside, overwrite=True)
    text = "Pat_smalltumor.nii.gz was made of other images than those of Pat"
    assert text in read_mask(beside, case).other_images and text in mask_beside(case).other_images
    beside.unlink()
    write_regions(mask_of(another(case)), beside)
    assert "were made of other images" in mask_beside(case).other_images


def test_an_experts_mask_of_other_images_is_a_warning_of_the_case(tmp_path):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    case = read_case(folder)
    write_segmentation(mask_of(another(case)), folder / "Pat_seg.nii.gz")
    case = read_case(folder)
    for _ in range(2):
        read_labels(case)
    assert [("made of other images" in text) for text in case.warnings].count(True) == 1


def test_a_mask_that_another_program_saved_records_nothing(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    case = case_along()
    path = tmp_path / "Pat_smalltumor.nii.gz"
    write_segmentation(mask_of(another(case)), path)
    sitk.WriteImage(sitk.ReadImage(str(path)), str(path))
    assert recorded_images_text([read_label_volume(path)], case) == ""


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "drawn by hand",
        "[]",
        '{"smalltumor_images_2": 5}',
        '{"other": {}}',
        "[" * 50_000,
        "\x00",
    ],
)
def test_a_comment_of_somebody_else_is_no_record(tmp_path, comment):
    case = case_along()
    path = tmp_path / "mask.nii"
    write_volume(path, np.ones(case.grid.shape, np.uint8), case.grid, comments=[comment])
    assert recorded_images(read_label_volume(path)) == {}


@pytest.mark.parametrize("size", [0, 7, 24, -16, 2**30])
def test_an_extension_with_a_wrong_size_does_not_prevent_reading(tmp_path, size):
    case = case_along()
    path = tmp_path / "mask.nii"
    write_segmentation(mask_of(case), path)
    content = bytearray(path.read_bytes())
    content[352:356] = int(size).to_bytes(4, "little", signed=True)
    path.write_bytes(content)
    volume = read_label_volume(path)
    assert recorded_images(volume) == {}
    assert volume.data.any()


def test_the_record_is_of_digests_by_modality():
    digests = digests_of_images(case_along())
    assert sorted(digests) == ["flair", "t1", "t1ce", "t2"]
    assert len(set(digests.values())) == 4
    blocks = [block for digest in digests.values() for block in digest.split(",")]
    assert len(blocks) == 4 * 27
    assert {len(bytes.fromhex(block)) for block in blocks} == {0, 8}


def test_the_command_line_refuses_a_mask_of_other_images_or_the_report_says_so(tmp_path, capsys):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    case = read_case(folder)
    own, others = tmp_path / "Pat_own.nii.gz", tmp_path / "Pat_others.nii.gz"
    write_segmentation(mask_of(case), own)
    write_segmentation(mask_of(another(case)), others)
    said = "Pat_others.nii.gz was made of other images than those of Pat"
    for mask, warns in ((own, False), (others, True)):
        numbers = tmp_path / f"{mask.stem}.json"
        command = ["report", str(folder), str(mask), "--json", str(numbers)]
        assert main(command) == int(warns)
        assert numbers.exists() != warns
        capsys.readouterr()
        assert main([*command, "--overwrite", "--other-images"]) == 0
        assert (f"smalltumor: warning: {said}" in capsys.readouterr().err) == warns
        assert (said in numbers.read_text()) == warns


def test_the_list_of_training_cases_warns_of_a_mask_of_other_images(tmp_path):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    case = read_case(folder)
    for of, warns in ((case, False), (another(case), True)):
        write_segmentation(mask_of(of), folder / "Pat_seg.nii.gz", overwrite=True)
        checked = check_case(find_case_files(folder))
        assert any("made of other images" in text for text in checked.warnings) == warns


def test_scores_of_masks_of_different_images_are_told_of(tmp_path):
    case = case_along()
    for side in ("truth", "predicted"):
        (tmp_path / side).mkdir()
    write_segmentation(mask_of(case), tmp_path / "truth" / "Pat_seg.nii.gz")
    for of, notes in ((case, False), (another(case), True)):
        write_segmentation(mask_of(of), tmp_path / "predicted" / "Pat.nii.gz", overwrite=True)
        found = evaluate(tmp_path / "predicted", tmp_path / "truth", labels="brats2018").notes
        assert any("made of different images" in text and "Pat" in text for text in found) == notes


@pytest.mark.parametrize("truth", ["truth", "truth/Pat_seg.nii.gz"])
def test_scores_against_an_experts_mask_are_compared_with_the_images_beside_it(tmp_path, truth):
    write_case_along(tmp_path / "truth", name="Pat")
    case = read_case(tmp_path / "truth")
    (tmp_path / "predicted").mkdir()
    for of, notes in ((case, False), (another(case), True)):
        write_segmentation(mask_of(of), tmp_path / "predicted" / "Pat.nii.gz", overwrite=True)
        found = evaluate(tmp_path / "predicted", tmp_path / truth, labels="brats2018").notes
        assert any("made of different images" in text and "Pat" in text for text in found) == notes
