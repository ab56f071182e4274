"""Masks of every year, as people's tools save them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from smalltumor.cli import main
from smalltumor.data.masks.case_mask import mask_beside, read_mask
from smalltumor.data.masks.label_files import decode_labels, read_label_volume, read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import Action, GridMismatchError, LabelError, SmalltumorError
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import LPS, SHAPE, write_case

BACKGROUND, NCR, ED, ET = TissueClass
BRATS = {"2018": "flair t1ce t1 t2", "2023": "t2f t1c t1n t2w"}


def blocks(values: list[int]) -> np.ndarray:
    """A block of 2 x 3 x 4 voxels for each value, in a row."""
    labels = np.zeros(SHAPE, np.uint8)
    for n, value in enumerate(values):
        labels[4 + 3 * n : 6 + 3 * n, 5:8, 6:10] = value
    return labels


def plain(labels: np.ndarray, path: Path) -> None:
    nib.save(nib.Nifti1Image(labels, LPS), path)


def of_type(dtype: type):
    def save(labels: np.ndarray, path: Path) -> None:
        nib.save(nib.Nifti1Image(labels.astype(dtype), LPS, dtype=dtype), path)

    return save


def not_quite_whole(labels: np.ndarray, path: Path) -> None:
    plain(labels.astype(np.float32) * np.float32(1.0000153), path)


def scaled(labels: np.ndarray, path: Path) -> None:
    """Stored as int16 with an ``scl_slope``, as SPM and older ITK write them."""
    stored = (labels.astype(np.float64) * 4096).round().astype(np.int16)
    content = bytearray(nib.Nifti1Image(stored, LPS).to_bytes())
    content[112:120] = np.array([1.0000153 / 4096, 0], "<f4").tobytes()  # nibabel writes 1 and 0
    path.write_bytes(gzip.compress(content))


def interpolated(labels: np.ndarray, path: Path) -> None:
    plain((labels + np.roll(labels, 1, axis=0)) / np.float32(2), path)


def turned(axcodes: str):
    def save(labels: np.ndarray, path: Path) -> None:
        image = nib.Nifti1Image(labels, LPS)
        turn = ornt_transform(io_orientation(LPS), axcodes2ornt(axcodes))
        nib.save(image.as_reoriented(turn), path)

    return save


def cropped(labels: np.ndarray, path: Path) -> None:
    nib.save(nib.Nifti1Image(labels, LPS).slicer[3:, 5:9, 4:12], path)


def turned_and_cropped(labels: np.ndarray, path: Path) -> None:
    image = nib.as_closest_canonical(nib.Nifti1Image(labels, LPS))
    nib.save(image.slicer[1:, :19, 2:14], path)


def padded(labels: np.ndarray, path: Path) -> None:
    affine = LPS.copy()
    affine[:3, 3] = LPS[:3, :3] @ [-5, -5, -5]
    nib.save(nib.Nifti1Image(np.pad(labels, 5), affine), path)


@dataclass(frozen=True)
class Kind:
    """A mask beside the images of its case, and the class each of its values is read as."""

    case: str
    words: str
    values: dict[int, TissueClass]
    save: object = plain


ADULT_2018 = {1: NCR, 2: ED, 4: ET}
ADULT_2023 = {1: NCR, 2: ED, 3: ET}
READ = {
    "BraTS 2018": Kind("Brats18_CBICA_AAB_1", BRATS["2018"], ADULT_2018),
    "BraTS 2020": Kind("BraTS20_Training_001", BRATS["2018"], ADULT_2018),
    "BraTS 2021": Kind("BraTS2021_00002", BRATS["2018"], ADULT_2018),
    "UPENN-GBM": Kind("UPENN-GBM-00003_11", "FLAIR T1GD T1 T2", ADULT_2018),
    "UCSF-PDGM": Kind("UCSF-PDGM-0004", "FLAIR T1c T1 T2", ADULT_2018),
    "names of before 2023": Kind("patient", BRATS["2018"], ADULT_2018),
    "BraTS 2023": Kind("BraTS-GLI-00005-000", BRATS["2023"], ADULT_2023),
    "BraTS-MEN": Kind("BraTS-MEN-00008-000", BRATS["2023"], ADULT_2023),
    "BraTS-MET": Kind("BraTS-MET-00086-000", BRATS["2023"], ADULT_2023),
    "names from 2023 on": Kind("patient", BRATS["2023"], ADULT_2023),
    "BraTS 2024, with cavity": Kind(
        "BraTS-GLI-02143-101", BRATS["2023"], {**ADULT_2023, 4: BACKGROUND}
    ),
    "BraTS 2024, cavity and no enhancing tumour": Kind(
        "BraTS-GLI-02143-102", BRATS["2023"], {1: NCR, 2: ED, 4: BACKGROUND}
    ),
    "BraTS-PED 2024": Kind("BraTS-PED-00045-000", BRATS["2023"], {1: ET, 2: NCR, 3: NCR, 4: ED}),
    "BraTS-PED 2024, no cyst": Kind("BraTS-PED-00046-000", BRATS["2023"], {1: ET, 2: NCR, 4: ED}),
    "float 1.0000153": Kind("a", BRATS["2018"], ADULT_2018, not_quite_whole),
    "scl_slope": Kind("a", BRATS["2018"], ADULT_2018, scaled),
    "ITK-SNAP's uint16": Kind("a", BRATS["2018"], ADULT_2018, of_type(np.uint16)),
    "ITK-SNAP's int16": Kind("a", BRATS["2018"], ADULT_2018, of_type(np.int16)),
    "Slicer's float64": Kind("a", BRATS["2018"], ADULT_2018, of_type(np.float64)),
    "FSL's float32": Kind("a", BRATS["2018"], ADULT_2018, of_type(np.float32)),
    "turned to RAS": Kind("a", BRATS["2018"], ADULT_2018, turned("RAS")),
    "turned to PIR": Kind("a", BRATS["2018"], ADULT_2018, turned("PIR")),
    "cropped": Kind("a", BRATS["2018"], ADULT_2018, cropped),
    "turned and cropped": Kind("a", BRATS["2018"], ADULT_2018, turned_and_cropped),
    "padded": Kind("a", BRATS["2018"], ADULT_2018, padded),
}


def write(folder: Path, kind: Kind) -> None:
    write_case(folder, modalities=kind.words, name=kind.case)
    kind.save(blocks(list(kind.values)), folder / f"{kind.case}-seg.nii.gz")


@pytest.mark.parametrize("kind", READ)
def test_the_classes_of_a_mask_are_read_where_they_are(tmp_path, kind):
    write(tmp_path, READ[kind])
    classes, _ = read_labels(read_case(tmp_path))
    np.testing.assert_array_equal(classes, blocks(list(READ[kind].values.values())))


ASKED = {
    "nothing tells what 4 is": Kind("p", "flair t1gd t1 t2", dict.fromkeys((1, 2, 4))),
    "nothing tells what 1 and 2 are": Kind("p", "flair t1gd t1 t2", dict.fromkeys((1, 2, 3))),
    "four values without a name": Kind("p", "flair t1gd t1 t2", dict.fromkeys((1, 2, 3, 4))),
    "a child of 2023 or 2024": Kind("BraTS-PED-00047-000", BRATS["2023"], dict.fromkeys((1, 2, 3))),
    "names before 2023, values after": Kind("p", BRATS["2018"], dict.fromkeys((1, 2, 3))),
    "names of two years": Kind("BraTS-GLI-00005-000", BRATS["2018"], dict.fromkeys((1, 2, 4))),
}


@pytest.mark.parametrize("kind", ASKED)
def test_a_mask_that_may_mean_two_things_is_not_guessed(tmp_path, kind):
    write(tmp_path, ASKED[kind])
    case = read_case(tmp_path)
    with pytest.raises(
        LabelError, match=rf"{ASKED[kind].case}-seg\.nii\.gz: label values"
    ) as error:
        read_labels(case)
    assert error.value.remedy.action is Action.NAME_SCHEME
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("case", ["p", "BraTS2021_00019"])
def test_a_whole_tumour_of_ones_beside_the_images_is_not_necrosis(tmp_path, capsys, case):
    write(tmp_path, Kind(case, BRATS["2018"], dict.fromkeys((1,))))
    with pytest.raises(LabelError, match=rf"{case}-seg\.nii\.gz: label value 1 alone") as error:
        read_labels(read_case(tmp_path))
    assert error.value.remedy.action is Action.NAME_REGION
    assert main(["lesions", str(tmp_path / f"{case}-seg.nii.gz")]) == 1
    assert "name the scheme with --labels, or pass --labels mask" in capsys.readouterr().err
    classes, _ = read_labels(read_case(tmp_path), "brats2018")
    np.testing.assert_array_equal(classes, blocks([NCR]))


def test_edema_or_enhancing_tumour_alone_is_read(tmp_path):
    for value, tissue in ((2, ED), (4, ET)):
        write(tmp_path, Kind("p", BRATS["2018"], {value: tissue}))
        np.testing.assert_array_equal(read_labels(read_case(tmp_path))[0], blocks([tissue]))


def test_a_mask_that_is_named_after_its_region_is_that_region(tmp_path, capsys):
    write_case(tmp_path, name="p")
    case = read_case(tmp_path)
    for region in ("et", "wt"):
        plain(blocks([1]), tmp_path / f"p_{region}.nii.gz")
    mask = read_mask(tmp_path / "p_et.nii.gz", case)
    np.testing.assert_array_equal(mask.classes, blocks([ET]))
    assert mask.known == (BACKGROUND, ET)
    with pytest.raises(LabelError, match=r"p_wt\.nii\.gz: by its name it is the mask of the whole"):
        read_mask(tmp_path / "p_wt.nii.gz", case)
    assert main(["lesions", str(tmp_path / "p_wt.nii.gz")]) == 1
    assert "pass --labels mask" in capsys.readouterr().err


def test_a_scheme_that_is_named_decides(tmp_path):
    write(tmp_path, ASKED["nothing tells what 4 is"])
    classes, scheme = read_labels(read_case(tmp_path), "brats2024")
    assert scheme.name == "brats2024"
    np.testing.assert_array_equal(classes, blocks([NCR, ED, BACKGROUND]))


def test_interpolated_labels_are_refused(tmp_path):
    write(tmp_path, Kind("a", BRATS["2018"], ADULT_2018, interpolated))
    with pytest.raises(LabelError, match="are not whole numbers"):
        read_labels(read_case(tmp_path))


@pytest.mark.parametrize(
    "name", ["a_bet_mask", "a_brain_mask", "a_t1_bet_mask", "a_skull_mask", "a_t1ce_brain_mask"]
)
def test_a_brain_mask_is_not_the_case_s_labels(tmp_path, name):
    write_case(tmp_path, name="a")
    plain(blocks([1]), tmp_path / f"{name}.nii.gz")
    assert read_case(tmp_path).labels_path is None


@pytest.mark.parametrize("values", [[1], [1, 2, 4]])
def test_labels_of_the_whole_brain_are_refused(tmp_path, values):
    data = np.zeros((100, 100, 100), np.uint8)
    data[5:95, 5:95, 5:95] = values[0]
    data[40:60, 40:60, 40:60] = values[-1]
    plain(data, tmp_path / "a_mask.nii.gz")
    with pytest.raises(LabelError, match=r"a_mask\.nii\.gz labels 729 ml, too much for a tumour"):
        decode_labels(read_label_volume(tmp_path / "a_mask.nii.gz"), "brats2018")


@pytest.mark.parametrize("start", [0, 2])
def test_labels_outside_the_images_are_refused(tmp_path, start):
    write_case(tmp_path, name="a")
    affine = LPS.copy()
    affine[:3, 3] = LPS[:3, :3] @ [-start, -start, -start]
    labels = np.pad(blocks([1, 2, 4]), ((0, 9),) * 3)
    labels[-1, -1, -1] = 4
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "a_seg.nii.gz")
    with pytest.raises(GridMismatchError, match=r"a_seg\.nii\.gz: 1 labelled voxels lie outside"):
        read_labels(read_case(tmp_path))


def test_labels_that_lost_their_orientation_are_not_mirrored_onto_the_images(tmp_path):
    """Without codes the centre of a volume is at 0; its voxels lie on those of such images."""
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2
    write_case(tmp_path, affine, name="a")
    nib.save(nib.Nifti1Image(blocks([1, 2, 4]), None), tmp_path / "a_seg.nii.gz")
    with pytest.raises(GridMismatchError, match=r"a_seg\.nii\.gz: .*may be mirrored"):
        read_labels(read_case(tmp_path))


def test_a_mask_whose_qform_is_mirrored_is_told_as_an_image_is(tmp_path, capsys):
    write_case(tmp_path, name="a")
    image = nib.Nifti1Image(blocks([1, 2, 4]), LPS)
    image.set_sform(LPS, code=1)
    image.set_qform(LPS @ np.diag([-1, 1, 1, 1]), code=1)
    path = tmp_path / "a_seg.nii.gz"
    nib.save(image, path)
    said = f"{path}: sform and qform disagree about left and right; the sform is used"
    case = read_case(tmp_path)
    read_labels(case)
    assert case.warnings == [said]
    assert mask_beside(read_case(tmp_path)).header_warnings == (said,)
    assert said in evaluate(path, path).notes
    assert main(["lesions", str(path)]) == 0
    assert f"smalltumor: warning: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("scheme", SCHEMES)
def test_masks_of_this_package_tell_their_scheme(tmp_path, scheme):
    write_case(tmp_path, name="a", modalities="flair t1gd t1 t2")
    case = read_case(tmp_path)
    classes = blocks([NCR, ED, ET])
    segmentation = Segmentation("a", classes, case.grid, case.header)
    path = write_segmentation(segmentation, tmp_path / "a_seg.nii.gz", scheme=scheme)
    read, found = read_labels(read_case(tmp_path))
    np.testing.assert_array_equal(read, classes)
    assert found.name == scheme
    stored = nib.load(path)
    stored.header.set_intent("none")
    nib.save(stored, path)
    with pytest.raises(SmalltumorError, match="which differ"):
        read_labels(read_case(tmp_path))
