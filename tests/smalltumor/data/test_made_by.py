"""Files of masks record the weights that made them, and whether they were edited."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from napari_cases import case_along, write_case_along
from smalltumor.cli import main
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.data import label_digest
from smalltumor.data.bids.write import write_bids
from smalltumor.data.made_by import SEEN_IN_TRAINING, MadeBy, joined, recorded_made_by
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.masks.label_files import on_grid, read_label_volume
from smalltumor.data.naming.export_names import region_paths
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import (
    InferenceRun,
    Segmentation,
    write_regions,
    write_segmentation,
)
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.geometry.grid import Grid
from smalltumor.labels.schemes import SCHEMES
from smalltumor.version import software_version

DIGEST = "0123456789abcdef" * 4
RUN = InferenceRun(1.0, "cpu", "torch", "fifty patients", digest=DIGEST)
MADE = MadeBy("AUTOMATIC", "fifty patients", DIGEST[:16], software_version())
SEEN = replace(MADE, seen_in_training=True)


def mask_of(case, **made) -> Segmentation:
    classes = np.random.default_rng(3).integers(0, 4, case.grid.shape).astype(np.uint8)
    return Segmentation(case.name, classes, case.grid, case.header, **(made or {"run": RUN}))


@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
@pytest.mark.parametrize("made_by", [MADE, SEEN, MADE.edited, MadeBy("MANUAL"), None])
def test_a_label_file_and_region_files_record_what_made_them(tmp_path, ending, made_by):
    case, path = case_along("LAS"), tmp_path / f"mask{ending}"
    segmentation = mask_of(case, made_by=made_by)
    write_segmentation(segmentation, path)
    assert recorded_made_by(read_label_volume(path)) == made_by
    assert read_stored_mask(path, case.name, "brats2018").made_by == made_by
    for region in write_regions(segmentation, path):
        assert recorded_made_by(read_label_volume(region)) == made_by


def test_a_fault_of_the_program_is_not_taken_for_a_mask_without_a_record(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise TypeError("a name of the program")

    write_segmentation(mask_of(case_along()), tmp_path / "mask.nii")
    volume = read_label_volume(tmp_path / "mask.nii")
    monkeypatch.setattr(label_digest, "bounding_box", fail)
    with pytest.raises(TypeError):
        recorded_made_by(volume)


def test_a_segmentation_is_as_its_run_gave_it_unless_said_otherwise():
    case = case_along()
    assert mask_of(case).made_by == MADE
    assert mask_of(case, run=RUN, made_by=MADE.edited).made_by.algorithm_type == "SEMIAUTOMATIC"
    assert Segmentation("P", mask_of(case).classes, case.grid).made_by is None


@pytest.mark.parametrize(
    ("made_by", "holds"),
    [
        (MADE, {"is_unedited", "is_from_network"}),
        (MADE.edited, {"is_edited", "is_from_network"}),
        (MadeBy("MANUAL"), {"is_manual"}),
    ],
)
def test_a_mask_is_unedited_edited_or_manual(made_by, holds):
    properties = ("is_unedited", "is_edited", "is_manual", "is_from_network")
    assert {name for name in properties if getattr(made_by, name)} == holds


def rewritten(path, change) -> MadeBy | None:
    """What is read after another program, which keeps the header, has changed the voxels."""
    image = nib.load(path)
    header = image.header.copy()
    labels = np.asarray(image.dataobj).copy()
    change(labels)
    nib.save(nib.Nifti1Image(labels, image.affine, header), path)
    return recorded_made_by(read_label_volume(path))


SHEAR = np.array([[1, 0, 0.3], [0, 1, 0], [0, 0, 1]])
TURN = np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]])
SIZES = np.diag([0.9, 1.1, 3.0])
GRIDS = {
    "LAS": case_along("LAS").grid,
    "oblique": Grid((9, 8, 7), nib.affines.from_matvec(TURN @ SIZES, [-81.3, 17.7, 1000.1])),
    "sheared": Grid((9, 8, 7), nib.affines.from_matvec(SHEAR @ SIZES, [-81.3, 17.7, 1000.1])),
}


def test_labels_that_another_program_changed_count_as_edited(tmp_path):
    path = tmp_path / "mask.nii.gz"
    write_segmentation(mask_of(case_along()), path)

    def add_a_voxel(labels) -> None:
        first = tuple(np.argwhere(labels == 0)[0])
        labels[first] = 1

    assert rewritten(path, lambda labels: None) == MADE
    assert rewritten(path, add_a_voxel) == MADE.edited
    assert rewritten(path, lambda labels: labels.fill(0)) == MADE.edited


def test_the_order_of_axes_the_type_of_values_and_background_around_do_not_count(tmp_path):
    case, path = case_along("RAS"), tmp_path / "mask.nii.gz"
    write_segmentation(mask_of(case), path)
    image = nib.load(path)
    turned = nib.as_closest_canonical(image).as_reoriented([[2, -1], [0, 1], [1, -1]])
    floats = nib.Nifti1Image(turned.get_fdata(), turned.affine, turned.header)
    floats.header.extensions = image.header.extensions
    floats.set_data_dtype(np.float32)
    nib.save(floats, path)
    assert recorded_made_by(read_label_volume(path)) == MADE
    padded = np.pad(turned.get_fdata(), 2).astype(np.uint8)
    affine = turned.affine @ nib.affines.from_matvec(np.eye(3), [-2, -2, -2])
    wide = nib.Nifti1Image(padded, affine)
    wide.header.extensions = image.header.extensions
    nib.save(wide, path)
    assert recorded_made_by(read_label_volume(path)) == MADE
    assert recorded_made_by(on_grid(read_label_volume(path), case.grid, "Pat")) == MADE


def box_mask(case) -> Segmentation:
    """A mask of all classes in the middle, with background on each side."""
    classes = np.zeros(case.grid.shape, np.uint8)
    middle = tuple(slice(2, n - 2) for n in classes.shape)
    classes[middle] = np.random.default_rng(4).integers(1, 4, classes[middle].shape)
    return Segmentation(case.name, classes, case.grid, case.header, run=RUN)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("affine", ["LAS", "oblique", "sheared"])
def test_labels_that_were_shifted_within_the_grid_count_as_edited(tmp_path, axis, step, affine):
    path, grid = tmp_path / "mask.nii.gz", GRIDS[affine]
    write_segmentation(box_mask(SimpleNamespace(name="P", grid=grid, header=None)), path)

    def shift(labels) -> None:
        labels[:] = np.roll(labels, step, axis)

    assert rewritten(path, lambda labels: None) == MADE
    assert rewritten(path, shift) == MADE.edited
    image = nib.load(path)
    back = nib.Nifti1Image(
        np.asarray(image.dataobj),
        image.affine @ nib.affines.from_matvec(np.eye(3), -step * np.eye(3)[axis]),
        image.header,
    )
    nib.save(back, path)
    assert recorded_made_by(read_label_volume(path)) == MADE, "an affine that moves them back"


@pytest.mark.parametrize("scale", [1.5, -1])
def test_labels_that_were_enlarged_or_mirrored_by_the_affine_count_as_edited(tmp_path, scale):
    path = tmp_path / "mask.nii.gz"
    write_segmentation(box_mask(case_along("LAS")), path)
    image = nib.load(path)
    affine = image.affine @ np.diag([scale, 1, 1, 1])
    header = image.header.copy()
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine, header), path)
    assert recorded_made_by(read_label_volume(path)) == MADE.edited


@pytest.mark.parametrize("written", SCHEMES)
@pytest.mark.parametrize("other", SCHEMES)
@pytest.mark.parametrize("keeps_intent", [True, False])
def test_a_mask_that_was_saved_in_another_label_scheme_is_not_edited(
    tmp_path, written, other, keeps_intent
):
    path = tmp_path / "mask.nii.gz"
    write_segmentation(mask_of(case_along()), path, scheme=written)
    image = nib.load(path)
    labels = SCHEMES[other].encode(SCHEMES[written].decode(np.asarray(image.dataobj)))
    header = image.header.copy()
    if not keeps_intent:
        header.set_intent("none")
    nib.save(nib.Nifti1Image(labels, image.affine, header), path)
    read = recorded_made_by(read_label_volume(path))
    # The values of these two are the same, so that the header decides: it would be read wrongly.
    is_read_wrongly = keeps_intent and {written, other} == {"brats2023", "msd"}
    assert read == (MADE.edited if is_read_wrongly else MADE)


def test_a_class_that_became_another_counts_as_edited(tmp_path):
    path = tmp_path / "mask.nii.gz"
    for value, becomes in ((1, 2), (4, 1), (2, 4)):
        write_segmentation(mask_of(case_along()), path, overwrite=True)

        def exchange(labels, value=value, becomes=becomes) -> None:
            first, second = labels == value, labels == becomes
            labels[first], labels[second] = becomes, value

        assert rewritten(path, exchange) == MADE.edited


def test_the_mask_of_a_region_may_be_saved_with_another_value(tmp_path):
    case = case_along()
    (path, *_) = write_regions(mask_of(case), tmp_path / "mask.nii.gz")

    def brighten(labels) -> None:
        labels *= 255

    assert rewritten(path, brighten) == MADE


def test_values_that_are_no_labels_are_edits_without_a_warning(tmp_path):
    path = tmp_path / "mask.nii.gz"
    write_segmentation(mask_of(case_along()), path)
    image = nib.load(path)
    for values in (image.get_fdata() * 1e30, -image.get_fdata(), image.get_fdata() + 0.4):
        header = image.header.copy()
        header.set_data_dtype(np.float64)
        nib.save(nib.Nifti1Image(values, image.affine, header), path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert recorded_made_by(read_label_volume(path)) == MADE.edited


def test_an_empty_mask_has_a_record_too(tmp_path):
    case, path = case_along(), tmp_path / "mask.nii.gz"
    empty = Segmentation("Pat", np.zeros(case.grid.shape, np.uint8), case.grid, run=RUN)
    write_segmentation(empty, path)
    assert recorded_made_by(read_label_volume(path)) == MADE


@pytest.mark.parametrize(
    "comment",
    [
        "a note",
        "[]",
        '{"smalltumor_made_by_2": null}',
        '{"smalltumor_made_by_2": {"algorithm_type": "AUTOMATIC"}}',
        '{"smalltumor_made_by_2": {"algorithm_type": ["MANUAL"], "labels": "0"}}',
        '{"smalltumor_made_by_2": {"algorithm_type": "OTHER", "labels": "0"}}',
        '{"smalltumor_made_by_2": {"algorithm_type": "AUTOMATIC", "labels": "0",'
        f' "corners_ras_mm": [[1{"0" * 400}, 0, 0], [0, 0, 0]]}}}}',
    ],
)
def test_a_damaged_record_is_none(tmp_path, comment):
    case, path = case_along(), tmp_path / "mask.nii"
    write_volume(path, np.ones(case.grid.shape, np.uint8), case.grid, comments=[comment])
    assert recorded_made_by(read_label_volume(path)) is None


def test_names_from_a_file_are_printed_on_one_line_of_some_length():
    content = {"algorithm_type": "AUTOMATIC", "weights": "a\n\x1b[31mb " + "c" * 500}
    made_by = MadeBy.from_json(content)
    assert made_by.weights.startswith("a [31mb ccc") and len(made_by.weights) == 64
    assert MadeBy.network("a\tb", "", "").weights == "a b"


def test_several_files_are_edited_if_one_is_and_unknown_if_of_several_networks():
    other = MadeBy.network("other", "f" * 64, "1")
    assert joined([MADE, MADE]) == MADE
    assert joined([MADE, MADE.edited]) == MADE.edited
    assert joined([MADE, None]) == MADE.edited
    assert joined([MADE, other]) is None
    assert joined([None, None]) is None and joined([]) is None


def test_the_bids_description_says_what_made_a_mask(tmp_path):
    case = case_along(name="p1")
    for made_by, expected in (
        (MADE, {"Manual": False, "Weights": "fifty patients", "WeightsSHA256": DIGEST[:16]}),
        (MADE.edited, {"Edited": True, "Weights": "fifty patients"}),
        (MadeBy("MANUAL"), {"Manual": True}),
    ):
        _, sidecar, _ = write_bids(mask_of(case, made_by=made_by), tmp_path, overwrite=True)
        content = json.loads(sidecar.read_text())
        assert expected.items() <= content.items()
        assert ("Manual" in content) == ("Edited" not in content)


def test_reports_name_the_weights_and_warn_of_another_name_for_them(tmp_path, capsys):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    mask, numbers = tmp_path / "Pat_mask.nii.gz", tmp_path / "numbers.json"
    write_segmentation(mask_of(read_case(folder)), mask)
    arguments = ["report", str(folder), str(mask), "--json", str(numbers), "--overwrite"]
    assert main(arguments) == 0
    content = json.loads(numbers.read_text())
    assert content["made_by"] == MADE.as_json()
    assert content["model"] == "fifty patients (SHA-256 01234567)"
    assert content["mask"].endswith("not edited")
    assert "--model" not in capsys.readouterr().err
    assert main([*arguments, "--model", "starter"]) == 0
    said = "--model says starter, but Pat_mask.nii.gz records that it was made by fifty patients"
    assert said in capsys.readouterr().err
    content = json.loads(numbers.read_text())
    assert any(said in warning for warning in content["warnings"])


def test_a_report_of_a_file_warns_if_its_network_has_seen_the_patient(tmp_path):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    mask, numbers = tmp_path / "Pat_mask.nii.gz", tmp_path / "numbers.json"
    run = replace(RUN, seen_in_training=True)
    write_segmentation(mask_of(read_case(folder), run=run), mask)
    assert main(["report", str(folder), str(mask), "--json", str(numbers)]) == 0
    content = json.loads(numbers.read_text())
    assert content["made_by"]["seen_in_training"]
    assert SEEN_IN_TRAINING in content["warnings"]


def test_lesions_and_info_print_what_made_a_mask(tmp_path, capsys):
    case, path, plain = case_along(), tmp_path / "mask.nii.gz", tmp_path / "plain.nii.gz"
    write_segmentation(mask_of(case), path)
    write_segmentation(Segmentation("Pat", mask_of(case).classes, case.grid), plain)
    said = "made by fifty patients (SHA-256 01234567)"
    for command in ("lesions", "info"):
        assert main([command, str(path)]) == 0
        assert said in capsys.readouterr().out
        assert main([command, str(plain)]) == 0
        assert "made by" not in capsys.readouterr().out


def test_region_files_beside_the_images_are_edited_if_one_of_them_is(tmp_path):
    folder = write_case_along(tmp_path / "Pat", labels=False)
    case = read_case(folder)
    path = folder / "Pat_smalltumor.nii.gz"
    write_regions(mask_of(case), path)
    assert mask_beside(read_case(folder)).made_by == MADE
    rewritten(next(iter(region_paths(path).values())), lambda labels: labels.fill(0))
    assert mask_beside(read_case(folder)).made_by == MADE.edited


def test_the_record_holds_no_path_and_no_name_of_the_case(tmp_path):
    case = case_along(name="Anna_Meier")
    write_segmentation(mask_of(case), tmp_path / "mask.nii")
    (record,) = (
        comment
        for comment in read_label_volume(tmp_path / "mask.nii").comments
        if "made_by" in comment
    )
    content = json.loads(record)["smalltumor_made_by_2"]
    assert set(content) == {
        "algorithm_type",
        "weights",
        "weights_sha256",
        "version",
        "missing_sequences",
        "seen_in_training",
        "labels",
        "corners_ras_mm",
    }
    assert "Anna" not in record and str(tmp_path) not in record
