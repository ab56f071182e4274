"""From DICOM series in several poses to a case, and back, with made truth."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec

import nibabel as nib
import numpy as np
import pytest
from head_cases import Head, pose, sample_head, write_scan
from smalltumor.data.input_checks import FindingKind, check_input
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import Cancelled, CaseError, OutputError
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample, resample_labels
from smalltumor.scanner.preparation import prepare as prepare_module
from smalltumor.scanner.preparation import quality
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.prepared.native_grid import on_native_grid
from smalltumor.scanner.prepared.output_checks import check_prepared
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.source import Source, find_source

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")
if find_spec("deepbet") is None:
    pytest.skip("deepbet is not installed: no brain extraction", allow_module_level=True)


@pytest.fixture(scope="module")
def head(sample_folder) -> Head:
    return sample_head(sample_folder)


@pytest.fixture(scope="module")
def scan(head, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    return folder, write_scan(head, folder)


@pytest.fixture(scope="module")
def source(scan) -> Source:
    return find_source(scan[0], {})


@pytest.fixture(scope="module")
def prepared(source) -> PreparedCase:
    """The one run of the whole way with the networks of deepbet."""
    return prepare(source)


@pytest.fixture(scope="module")
def labels(sample_folder) -> tuple[np.ndarray, Grid]:
    """The expert's tissue classes, and their grid."""
    case = read_case(sample_folder)
    classes, _ = read_labels(case)
    return classes, case.grid


@pytest.fixture(scope="module")
def tumour(labels, prepared) -> Segmentation:
    """The expert's classes on the grid of T1CE."""
    classes = resample_labels(*labels, prepared.grid)
    return Segmentation("case", classes, prepared.grid, prepared.header)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def error_mm(found: np.ndarray, truth: np.ndarray, points: np.ndarray) -> float:
    difference = found - truth
    return float(np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean())


def test_sequences_of_a_dicom_folder_are_told_apart(source):
    titles = {m: s.title for m, s in source.assignment.chosen.items()}
    assert titles == {
        "t1": "2 Ax T1",
        "t1ce": "5 Ax T1",
        "t2": "3 t2_tse_tra",
        "flair": "4 t2_tirm_tra_dark-fluid",
    }


@pytest.mark.parametrize("modality", ["t1", "t2", "flair"])
def test_a_sequence_in_another_pose_is_registered_within_a_voxel(prepared, head, modality):
    brain = np.argwhere(resample(head.brain, head.grid, prepared.grid) > 0.5)[::20]
    found = prepared.sequences[modality].registration
    assert found.gain > 0.1
    error = error_mm(found.matrix, head.poses[modality], prepared.grid.to_patient(brain))
    assert error < 1.5  # of voxels of 3 x 3 x 5 mm


def test_the_brain_is_extracted(prepared, head):
    truth = resample(head.brain, head.grid, prepared.grid) > 0.5
    assert dice(truth, prepared.brain) > 0.95
    for sequence in prepared.sequences.values():
        assert not np.any(sequence.image[~prepared.brain])


def test_the_prepared_case_passes_the_checks_of_the_input(prepared):
    kinds = {finding.kind for finding in check_input(prepared.to_case())}
    assert not kinds & {
        FindingKind.NOT_SKULL_STRIPPED,
        FindingKind.MISALIGNED,
        FindingKind.SWAPPED,
    }
    assert not prepared.warnings


@pytest.mark.parametrize("modality", ["t1ce", "t2", "flair"])
def test_a_mask_returns_to_the_native_grid_of_a_series(
    prepared, head, scan, tumour, labels, modality
):
    native = scan[1][modality]
    mask = on_native_grid(tumour, prepared, modality)
    assert mask.grid.matches(native)
    classes, grid = labels
    placed = Grid(grid.shape, head.poses[modality] @ grid.affine)
    truth = resample_labels(classes, placed, mask.grid)
    assert dice(mask.classes > 0, truth > 0) > 0.9
    centre = [mask.grid.to_patient(np.argwhere(c > 0).mean(axis=0)) for c in (mask.classes, truth)]
    assert np.linalg.norm(centre[0] - centre[1]) < 2
    assert mask.volume_ml("wt") == pytest.approx(tumour.volume_ml("wt"), rel=0.1)


def test_files_read_back_as_a_case_on_the_grid_of_t1ce(prepared, tmp_path):
    folder = tmp_path / "out"
    written = write_prepared(replace(prepared, name="out"), folder)
    case = read_case(folder)
    assert case.grid.matches(prepared.grid)
    assert set(case.volumes) == {"t1", "t1ce", "t2", "flair"}
    np.testing.assert_array_equal(read_nifti(folder / "out_brain.nii.gz").data > 0, prepared.brain)
    record = json.loads((folder / "out_prepared.json").read_text())
    assert record["sequences"]["flair"]["series"] == "4 t2_tirm_tra_dark-fluid"
    assert record["sequences"]["t1ce"]["registration"] is None
    assert "P1" not in json.dumps(record)  # the patient's ID
    assert not [p for p in folder.iterdir() if p not in written]


def test_a_transform_file_maps_points_of_t1ce_to_points_of_the_series(prepared, head, tmp_path):
    write_prepared(prepared, tmp_path)
    transform = sitk.ReadTransform(str(tmp_path / f"{prepared.name}_t2_to_t1ce.tfm"))
    point = np.array((10.0, -20.0, 30.0))
    mapped = np.array(transform.TransformPoint(list(point * (-1, -1, 1)))) * (-1, -1, 1)
    expected = prepared.sequences["t2"].registration.matrix @ (*point, 1)
    np.testing.assert_allclose(mapped, expected[:3], atol=1e-4)


def test_existing_files_are_replaced_on_request_only(prepared, tmp_path):
    write_prepared(prepared, tmp_path)
    with pytest.raises(OutputError, match="exists"):
        write_prepared(prepared, tmp_path)
    with pytest.raises(OutputError, match="exists"):
        check_prepared(tmp_path, prepared.name, prepared.sequences, [])
    write_prepared(prepared, tmp_path, overwrite=True)


def test_cancelling_during_registration_ends_it(source, head, monkeypatch):
    brain = resample(head.brain, head.grid, source.assignment.chosen["t1ce"].read().grid)
    monkeypatch.setattr(prepare_module, "brain_probability", lambda image, grid: brain)
    calls = []

    def cancelled() -> bool:
        calls.append(None)
        return len(calls) > 12  # reading and extraction ask less often

    with pytest.raises(Cancelled):
        prepare(source, cancelled=cancelled)


def test_a_poor_overlap_of_brains_is_a_warning(source, head, monkeypatch):
    grid = source.assignment.chosen["t1ce"].read().grid
    brain = resample(head.brain, head.grid, grid)
    monkeypatch.setattr(prepare_module, "brain_probability", lambda image, grid: brain)
    monkeypatch.setattr(
        quality, "coarse_brain", lambda image, grid: np.roll(image > 100, 12, axis=0)
    )
    series = {m: source.assignment.chosen[m] for m in ("t1ce", "t2")}
    small = replace(source, assignment=replace(source.assignment, chosen=series))
    case = prepare(small)
    assert any("T2 may not be registered to T1CE" in warning.text for warning in case.warnings)
    assert "without FLAIR and T1: results are less reliable" in map(str, case.warnings)


def test_the_brain_mask_of_another_tool_is_used_instead_of_an_extraction(
    source, head, monkeypatch, tmp_path
):
    monkeypatch.setattr(prepare_module, "brain_probability", lambda *_: pytest.fail("not needed"))
    series = {"t1ce": source.assignment.chosen["t1ce"]}
    alone = replace(source, assignment=replace(source.assignment, chosen=series))
    nib.save(nib.Nifti1Image(head.brain * np.uint8(255), head.grid.affine), tmp_path / "b.nii.gz")
    mask = read_nifti(tmp_path / "b.nii.gz")
    case = prepare(alone, brain_mask=mask)
    np.testing.assert_array_equal(case.brain, resample(head.brain, head.grid, case.grid) > 0.5)
    assert not np.any(case.sequences["t1ce"].image[~case.brain])
    (step,) = case.sequences["t1ce"].steps
    assert step.text == "brain mask given by the user"
    assert not any("brain mask" in warning.text for warning in case.warnings)
    few = np.zeros_like(mask.data)
    few[mask.data.shape[0] // 2] = mask.data[mask.data.shape[0] // 2]
    (warning,) = (
        w for w in prepare(alone, brain_mask=replace(mask, data=few)).warnings if "ml" in w.text
    )
    assert "which is little for a brain; look at it, and check the voxel sizes" in warning.text
    elsewhere = Grid(mask.grid.shape, pose((0, 0, 0), (900, 0, 0)) @ mask.grid.affine)
    with pytest.raises(CaseError, match=r"b\.nii\.gz: nothing of this brain mask lies on T1CE"):
        prepare(alone, brain_mask=replace(mask, grid=elsewhere))


def test_a_stripped_case_on_one_grid_is_left_as_it_is(sample_folder, monkeypatch):
    def unneeded(*arguments):
        pytest.fail("this step is not needed")

    for step in ("register", "brain_probability", "brain_overlap"):
        monkeypatch.setattr(prepare_module, step, unneeded)
    case = prepare(find_source(sample_folder, {}))
    original = read_case(sample_folder)
    for modality, sequence in case.sequences.items():
        np.testing.assert_array_equal(sequence.image, original.volumes[modality])
    (step,) = case.sequences["t1ce"].steps
    assert step.text == "skull-stripped already"


def test_a_rotation_about_each_axis_is_one_in_the_tests_own_pose():
    turned = pose((90, 0, 0), (0, 0, 0)) @ (0, 1, 0, 1)
    np.testing.assert_allclose(turned[:3], (0, 0, 1), atol=1e-12)
