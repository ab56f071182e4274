"""Input that is unlike what the network was trained on is noticed."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from intensity_transforms import resampled_by_splines, transformed, z_scored_in_brain
from smalltumor.data.case import Case
from smalltumor.data.input_checks import Finding, FindingKind, check_input
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case, read_case_files
from smalltumor.errors import CaseError
from smalltumor.geometry.grid import Grid


@pytest.fixture(scope="module")
def head(sample_folder: Path) -> Case:
    """The sample with voxels of 2 mm."""
    case = read_case(sample_folder)
    volumes = {m: np.asfortranarray(v[::2, ::2, ::2]) for m, v in case.volumes.items()}
    affine = case.grid.affine @ np.diag([2, 2, 2, 1])
    return replace(case, volumes=volumes, grid=Grid(volumes["t1"].shape, affine))


def with_image(case: Case, **volumes) -> Case:
    return replace(case, volumes=dict(case.volumes) | volumes)


def kinds(case: Case) -> list[FindingKind]:
    return [finding.kind for finding in check_input(case)]


def test_nothing_is_found_in_a_real_case(head, sample_folder) -> None:
    assert check_input(read_case(sample_folder)) == []
    assert check_input(head) == []
    assert check_input(transformed(head, z_scored_in_brain)) == []
    assert check_input(transformed(head, resampled_by_splines)) == []


def test_nearly_every_wrong_order_of_the_modalities_is_found(head) -> None:
    found = []
    for order in permutations(MODALITIES):
        volumes = {m: head.volumes[image] for m, image in zip(MODALITIES, order, strict=True)}
        found.append(FindingKind.SWAPPED in kinds(with_image(head, **volumes)))
    assert not found[0]
    assert sum(found) >= 20


@pytest.mark.parametrize(
    ("thresholds", "scale", "values"),
    [([1, 700, 1100], 1, "0, 1, 2, 3"), ([700], 1, "0, 1"), ([700], 255, "0, 255")],
)
def test_a_mask_in_the_place_of_an_image_is_refused(head, thresholds, scale, values) -> None:
    mask = (np.digitize(head.volumes["flair"], thresholds) * scale).astype(np.uint8)
    with pytest.raises(CaseError, match=f"holds labels, not an image: its values are {values}"):
        check_input(with_image(head, t1ce=mask))
    check_input(with_image(head, t2=mask), expected=("t1ce", "t1", "flair"))


@pytest.mark.parametrize("factors", [(2, 2, 2), (1, 1, 3), (1, 1, 5)])
def test_thick_voxels_are_no_reason_to_take_images_for_swapped(sample_folder, factors) -> None:
    case = read_case(sample_folder)
    blocks = [n for size, f in zip(case.grid.shape, factors, strict=True) for n in (size // f, f)]
    volumes = {
        m: v[: blocks[0] * blocks[1], : blocks[2] * blocks[3], : blocks[4] * blocks[5]]
        .astype(np.float32)
        .reshape(blocks)
        .mean((1, 3, 5))
        for m, v in case.volumes.items()
    }
    grid = Grid(volumes["t1"].shape, case.grid.affine @ np.diag([*factors, 1]))
    thick = [FindingKind.THICK_SLICES] if factors[2] > 2 else []
    assert kinds(Case(case.name, volumes, grid)) == thick


def test_of_more_than_two_images_the_likeliest_two_are_named(head) -> None:
    turned = (*MODALITIES[1:], MODALITIES[0])
    volumes = {m: head.volumes[i] for m, i in zip(MODALITIES, turned, strict=True)}
    (finding,) = check_input(with_image(head, **volumes))
    assert len(finding.modalities) > 2
    assert len(finding.exchanged) == 2 and set(finding.exchanged) < set(finding.modalities)
    assert "; if only two were exchanged, most probably " in str(finding)


@pytest.mark.parametrize(("first", "second"), [("t1", "t1ce"), ("t2", "flair")])
def test_the_two_swapped_modalities_are_named(head, first: str, second: str) -> None:
    swapped = {first: head.volumes[second], second: head.volumes[first]}
    (finding,) = check_input(with_image(head, **swapped))
    assert finding.modalities == (first, second)


@pytest.mark.parametrize("exponents", [(0.7, 1), (1, 0.7), (1.5, 1), (1, 1.5), (0.7, 0.7)])
def test_other_intensities_of_t1_and_t1ce_do_not_hide_that_they_are_swapped(head, exponents):
    images = {
        modality: (head.volumes[modality] / np.float32(head.volumes[modality].max())) ** exponent
        for modality, exponent in zip(("t1", "t1ce"), exponents, strict=True)
    }
    assert kinds(with_image(head, **images)) == []
    (finding,) = check_input(with_image(head, t1=images["t1ce"], t1ce=images["t1"]))
    assert finding.modalities == ("t1", "t1ce")


@pytest.mark.parametrize("name", ["BraTS2021_01480", "BraTS2021_01657", "BraTS2021_01481"])
def test_t1_and_t1ce_are_told_apart_by_vessels(shared: Path, name: str) -> None:
    """Patients whose T1 has as bright a tail as T1CE, or brighter."""
    (files,) = (f for f in find_cases(shared / "data") if f.name == name)
    case = read_case_files(files)
    assert FindingKind.SWAPPED not in kinds(case)
    swapped = {"t1": case.volumes["t1ce"], "t1ce": case.volumes["t1"]}
    (finding,) = (f for f in check_input(with_image(case, **swapped)) if f.modalities)
    assert (finding.kind, finding.modalities) == (FindingKind.SWAPPED, ("t1", "t1ce"))


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.parametrize("offset", [0, 30])
def test_one_image_in_two_roles_is_refused(head, scale: float, offset: float) -> None:
    copy = head.volumes["t1"].astype(np.float32) * scale + offset
    with pytest.raises(CaseError, match="T1CE and T1 are the same image"):
        check_input(with_image(head, t1ce=copy))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_of_6_mm_is_found(head, axis: int) -> None:
    shifted = np.roll(head.volumes["flair"], 3, axis)
    (finding,) = check_input(with_image(head, flair=shifted))
    assert (finding.kind, finding.modalities) == (FindingKind.MISALIGNED, ("flair",))
    assert 0.85 < finding.value < 0.96


def test_a_shift_that_looks_like_a_swap_is_named_beside_it(shared: Path) -> None:
    (files,) = (f for f in find_cases(shared / "data") if f.name == "BraTS2021_00000")
    case = read_case_files(files)
    shifted = np.asfortranarray(np.roll(case.volumes["t1ce"], 3, axis=1))
    first, second = (
        f for f in check_input(with_image(case, t1ce=shifted)) if f.kind is not FindingKind.CUT
    )
    assert (first.kind, first.modalities) == (FindingKind.MISALIGNED, ("t1ce",))
    assert second.kind is FindingKind.SWAPPED


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"t1": "p_t1ce.nii.gz", "t1ce": "p_t1.nii.gz"}, {"t1": "t1ce", "t1ce": "t1"}),
        ({"t2": "p_flair.nii.gz"}, {"t2": "flair"}),
        ({"t1ce": "Ax_T1.nii.gz"}, {}),
        ({"t1": "AX_T1_FLAIR.nii.gz", "flair": "sub-01_acq-flair_T2w.nii.gz"}, {}),
        ({"t2": "AX_T2_FLAIR.nii.gz"}, {"t2": "flair"}),
        ({"t1": "p_t1n.nii.gz", "t1ce": "p_t1c.nii.gz", "flair": "p_t2f.nii.gz"}, {}),
        ({"t1": "p_0000.nii.gz"}, {}),
    ],
)
def test_a_file_that_is_named_as_another_sequence_is_found(head, files, expected) -> None:
    case = replace(head, paths={m: Path(name) for m, name in files.items()})
    found = [f for f in check_input(case) if f.kind is FindingKind.NAMED_OTHERWISE]
    assert {f.modalities[0]: f.named for f in found} == expected


def test_a_slab_is_found(head) -> None:
    slab = head.volumes["t2"].copy()
    slab[:, :, :35] = 0
    assert kinds(with_image(head, t2=slab)) == [FindingKind.MISALIGNED]


@pytest.mark.parametrize(
    ("side", "part"),
    [
        ("S", np.s_[:, :, :60]),
        ("I", np.s_[:, :, 20:]),
        ("P", np.s_[:, :90, :]),
        ("A", np.s_[:, 30:, :]),
        ("L", np.s_[:80, :, :]),
        ("R", np.s_[45:, :, :]),
    ],
)
def test_a_brain_that_is_cut_off_is_found_on_its_side(head, side: str, part) -> None:
    volumes = {m: v[part] for m, v in head.volumes.items()}
    case = replace(head, volumes=volumes, grid=Grid(volumes["t1"].shape, head.grid.affine))
    (finding,) = (f for f in check_input(case) if f.kind == FindingKind.CUT)
    assert finding.side == side


def test_a_head_with_skull_is_found(head) -> None:
    rng = np.random.default_rng(0)
    brain = head.volumes["t1"] > 0
    inside = np.linalg.norm(np.indices(brain.shape).T - (60, 60, 38), axis=-1).T < 45
    skull = {
        m: np.where(inside & ~brain, rng.integers(200, 900, v.shape), v)
        for m, v in head.volumes.items()
    }
    assert kinds(with_image(head, **skull)) == [FindingKind.NOT_SKULL_STRIPPED]


def with_voxels(case: Case, *size: float) -> Case:
    """The case with other voxel sizes in its header, in mm."""
    return replace(case, grid=Grid(case.grid.shape, np.diag([-size[0], -size[1], size[2], 1.0])))


@pytest.mark.parametrize(("size", "ml"), [((1, 1, 1), 202), ((2, 2, 0.4), 323), ((1, 2, 1), 404)])
def test_a_brain_that_is_small_by_its_header_is_found(
    head: Case, size: tuple[float, float, float], ml: float
) -> None:
    (finding,) = check_input(with_voxels(head, *size))
    assert finding.kind is FindingKind.SMALL
    assert finding.value == pytest.approx(ml, rel=0.03)
    assert "check the voxel sizes" in str(finding)


def test_a_slab_is_cut_off_and_its_voxel_sizes_are_not_doubted(head: Case) -> None:
    volumes = {m: v[:, :, 30:42] for m, v in head.volumes.items()}
    slab = replace(head, volumes=volumes, grid=Grid(volumes["t1"].shape, head.grid.affine))
    assert set(kinds(slab)) == {FindingKind.CUT}


def test_a_small_crop_has_no_wrong_voxel_sizes(head: Case) -> None:
    part = np.s_[40:64, 40:64, 20:44]
    volumes = {m: np.pad(v[part], 6) for m, v in head.volumes.items()}
    crop = replace(head, volumes=volumes, grid=Grid(volumes["t1"].shape, np.eye(4)))
    assert FindingKind.SMALL not in kinds(crop)


def test_voxels_that_are_too_large_are_named_as_a_cause_of_a_large_head(head: Case) -> None:
    (finding,) = check_input(with_voxels(head, 2.4, 2.4, 2.4))
    assert finding.kind is FindingKind.NOT_SKULL_STRIPPED
    assert "or the voxel sizes in the header are wrong" in str(finding)


def test_the_raw_scan_of_a_patient_is_not_skull_stripped(shared: Path) -> None:
    folder = shared / "data" / "raw" / "TCGA-FG-6692"
    files = {m: folder / f"TCGA-FG-6692_{m}.nii.gz" for m in MODALITIES}
    case = read_case(**files, resample=True)
    assert FindingKind.NOT_SKULL_STRIPPED in kinds(case)


def test_real_patients_give_no_false_alarm(shared: Path) -> None:
    for files in find_cases(shared / "data" / "brats2021")[:4]:
        assert check_input(read_case([p for [p] in files.modalities.values()])) == []


def test_voxels_of_an_unusual_size_are_found(head) -> None:
    grid = Grid(head.grid.shape, head.grid.affine @ np.diag([0.1, 0.1, 0.1, 1]))
    assert kinds(replace(head, grid=grid))[:2] == [FindingKind.SPACING, FindingKind.SPACING]


def without(case: Case, *modalities: str) -> Case:
    return replace(case, volumes={m: v for m, v in case.volumes.items() if m not in modalities})


@pytest.mark.parametrize(
    "missing", [("t1",), ("t2",), ("flair",), ("t1", "t2"), ("flair", "t1", "t2")]
)
def test_missing_modalities_are_the_only_finding(head, missing: tuple[str, ...]) -> None:
    (finding,) = check_input(without(head, *missing))
    assert (finding.kind, finding.modalities) == (FindingKind.MISSING, missing)


def test_an_image_that_the_network_does_not_see_is_not_missing(head) -> None:
    assert check_input(without(head, "t2"), expected=("flair", "t1ce", "t1")) == []


@pytest.mark.parametrize(
    ("missing", "moved"),
    [(("t1",), "flair"), (("t1", "t2"), "flair"), (("flair", "t2"), "t1")],
)
def test_a_shift_is_found_in_fewer_images(head, missing: tuple[str, ...], moved: str) -> None:
    shifted = with_image(head, **{moved: np.roll(head.volumes[moved], 3, 1)})
    _, finding = check_input(without(shifted, *missing))
    assert (finding.kind, finding.modalities) == (FindingKind.MISALIGNED, (moved,))


@pytest.mark.parametrize(
    ("missing", "first", "second"),
    [("t1", "t2", "flair"), ("flair", "t1", "t1ce"), ("t2", "t1", "t1ce")],
)
def test_swapped_images_are_found_among_three(head, missing: str, first: str, second: str) -> None:
    swapped = {first: head.volumes[second], second: head.volumes[first]}
    _, finding = check_input(without(with_image(head, **swapped), missing))
    assert (finding.kind, finding.modalities) == (FindingKind.SWAPPED, (first, second))


def test_a_finding_reads_as_a_sentence() -> None:
    assert str(Finding(FindingKind.MISSING, modalities=("t1",))).startswith("T1 is missing; the")
    assert str(Finding(FindingKind.MISSING, modalities=("t1", "t2"))).startswith("T1 and T2 are m")
    dice = (("et", 0.749, 0.779), ("tc", 0.819, 0.822), ("wt", 0.79, 0.873))
    assert str(Finding(FindingKind.MISSING, modalities=("flair",), dice=dice)) == (
        "FLAIR is missing; without it, networks trained like this one had a mean Dice of 0.75 "
        "(ET), 0.82 (TC) and 0.79 (WT) in patients they had not seen, and with all sequences 0.78, "
        "0.82 and 0.87"
    )
    finding = Finding(FindingKind.SWAPPED, modalities=("t2", "flair"))
    assert str(finding).startswith("T2 and FLAIR seem to be swapped")
    assert "superior side of the volume, over 31 cm²" in str(Finding(FindingKind.CUT, 31, side="S"))


def test_infinities_on_a_face_are_no_brain_that_is_cut_off(head) -> None:
    volumes = {m: np.array(v, dtype=np.float32) for m, v in head.volumes.items()}
    for volume in volumes.values():
        volume[0] = np.inf
    kinds = [finding.kind for finding in check_input(replace(head, volumes=volumes))]
    assert FindingKind.CUT not in kinds


@pytest.mark.parametrize(("slices_mm", "found"), [(2.0, False), (3.0, True), (5.5, True)])
def test_thick_slices_are_found(head, slices_mm: float, found: bool) -> None:
    spacing = np.diag([1, 1, slices_mm / head.grid.spacing[2], 1])
    grid = Grid(head.grid.shape, head.grid.affine @ spacing)
    thick = [f for f in check_input(replace(head, grid=grid)) if f.kind is FindingKind.THICK_SLICES]
    assert [f"slices of {slices_mm:g} mm" in str(f) for f in thick] == [True] * found
