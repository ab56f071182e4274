"""A cohort that is run again keeps its masks and writes what is missing."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from cohort_files import NAMES, files_of, interrupt_in_second_case, rows_of, version
from failing_drives import let_drive_fail
from second_look_cases import one_candidate
from smalltumor import inference
from smalltumor.cohort.pipeline import writing
from smalltumor.cohort.pipeline.network_stage import second_look_at
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import PAGE, SETTINGS, SUMMARIES, TABLE
from smalltumor.cohort.results.stored_mask import digest_of_file, read_stored_mask
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.data.bids.write import write_bids
from smalltumor.labels.regions import TissueClass
from smalltumor.second_look import SecondLook
from temporary_files import left_by_killed_process, of_another_computer

DERIVED_OF_BOB = ("bob_et", "bob_tc", "bob_wt", "sub-bob_")


def test_a_rerun_keeps_masks_and_segments_failed_cases_again(cohort, data, tmp_path):
    sound = (data / "bob" / "bob_t2.nii.gz").read_bytes()
    (data / "bob" / "bob_t2.nii.gz").write_bytes(b"not an image")
    _, before, *_ = cohort()
    first = version(tmp_path / "out" / "ann.nii.gz")
    (data / "bob" / "bob_t2.nii.gz").write_bytes(sound)
    code, rows, stdout, _ = cohort()
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "segmented", "kept"]
    assert version(tmp_path / "out" / "ann.nii.gz") == first
    for name in ("et_ml", "tc_ml", "wt_ml", "et_components", "et_small"):
        assert rows[0][name] == before[0][name]
    assert "ann: ET" in stdout and "kept" in stdout


def test_a_case_that_has_another_name_now_does_not_lose_its_reviews(cohort, data, tmp_path):
    cohort()
    review(tmp_path / "out", "bob")
    (data / "bob").rename(data / "visit1")
    for path in (data / "visit1").iterdir():
        path.rename(path.with_name(path.name.replace("bob", "ben")))
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    code, _, _, err = cohort()
    assert code == 1
    assert "ben has the images of bob, whose reviews are in" in err
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")} == before
    shutil.copytree(data / "visit1", data / "bob")  # a copy: both are there
    for path in (data / "bob").iterdir():
        path.rename(path.with_name(path.name.replace("ben", "bob")))
    code, rows, *_ = cohort()
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "segmented", "kept", "kept"]


def test_a_case_that_cannot_be_reached_fails_alone(cohort, data, tmp_path, monkeypatch):
    shutil.rmtree(data / NAMES[2])
    let_drive_fail(monkeypatch, data / "bob" / "bob_t2.nii.gz")
    _, rows, *_ = cohort()
    assert [row["outcome"] for row in rows] == ["segmented", "failed"]
    review(tmp_path / "out", "ann")
    (data / "ann").rename(tmp_path / "elsewhere")  # now images are compared with those of reviews
    _, rows, *_ = cohort()
    assert [row["outcome"] for row in rows] == ["failed"]


def review(output, name):
    reviews = Reviews(output)
    begun = reviews.begin(name)
    reviews.save(begun, read_stored_mask(begun.path, name, begun.scheme), "Eva")


def test_a_second_visit_that_renames_the_first_is_refused(cohort, data, tmp_path):
    cohort()
    review(tmp_path / "out", "bob")
    for visit in (1, 2):
        shutil.copytree(data / "bob", data / f"visit{visit}")
    shutil.rmtree(data / "bob")
    flair = data / "visit2" / "bob_flair.nii.gz"
    flair.write_bytes((data / "ann" / "ann_flair.nii.gz").read_bytes())
    code, _, _, err = cohort()
    assert code == 1
    assert "visit1_bob has the images of bob" in err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are letters")
def test_a_name_with_bytes_that_are_no_letters_is_segmented_and_kept(cohort, data, tmp_path):
    for path in (data / "ann").iterdir():
        path.rename(path.with_name(path.name.replace("ann", "ann\udcff")))
    for outcome in ("segmented", "kept"):
        code, rows, _, err = cohort()
        assert (code, {row["outcome"] for row in rows}) == (0, {outcome}), err
        assert "ann\\udcff" in {row["case"] for row in rows}
    lesions = (tmp_path / "out" / "lesions.csv").read_text(encoding="utf-8")
    assert lesions.startswith("case,")
    assert cohort("--part", "1/2", output=tmp_path / "part")[0] == 0


def test_only_half_written_files_of_a_killed_run_are_removed(cohort, tmp_path):
    cohort()
    half, own = left_by_killed_process(tmp_path / "out"), tmp_path / "out" / ".notes"
    worker_elsewhere = of_another_computer(left_by_killed_process(tmp_path / "out", ".nii.gz"))
    own.write_text("of the user's own")
    code, *_ = cohort()
    assert code == 0
    assert not half.exists()
    assert own.exists() and worker_elsewhere.exists()


def test_overwrite_segments_again(cohort, tmp_path):
    cohort()
    first = version(tmp_path / "out" / "ann.nii.gz")
    code, rows, *_ = cohort("--overwrite")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}
    assert version(tmp_path / "out" / "ann.nii.gz") != first


def test_overwrite_does_not_replace_masks_that_were_corrected(cohort, tmp_path):
    cohort()
    mask = tmp_path / "out" / "bob.nii.gz"
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.nii.gz")}
    before[mask] = correct(mask)
    code, _, _, err = cohort("--overwrite")
    assert code == 1 and "holds masks that were corrected, which are not replaced: bob; move" in err
    assert {path: path.read_bytes() for path in before} == before
    mask.unlink()
    assert cohort("--overwrite")[0] == 0


def test_a_mask_that_another_program_has_saved_counts_as_corrected(cohort, tmp_path):
    cohort()
    mask = tmp_path / "out" / "bob.nii.gz"
    stored = nib.load(mask)
    nib.save(nib.Nifti1Image(np.asarray(stored.dataobj), stored.affine), mask)
    assert cohort("--overwrite")[0] == 1


def test_a_region_mask_that_was_corrected_is_kept(cohort, tmp_path):
    cohort("--regions")
    out = tmp_path / "out"
    corrected = correct(out / "bob_wt.nii.gz")
    correct(out / "bob.nii.gz", number=1)  # whose region masks would be written again
    code, rows, *_ = cohort("--regions")
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 0 and note.endswith("; bob_wt.nii.gz was corrected by itself, and was kept")
    assert cohort("--overwrite")[0] == 1
    (out / "bob.nii.gz").unlink()
    code, rows, *_ = cohort("--regions")
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 1 and "bob_wt.nii.gz was edited, or saved by another program" in note
    assert (out / "bob_wt.nii.gz").read_bytes() == corrected


def test_a_mask_corrected_in_the_bids_dataset_is_kept(cohort, tmp_path):
    bids = tmp_path / "bids"
    cohort("--bids", bids)
    (mask,) = (path for path in bids.rglob("*_dseg.nii.gz") if "bob" in path.name)
    corrected = correct(mask)
    code, rows, *_ = cohort("--bids", bids)
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 0 and note == f"{mask} was corrected, differs from this mask and was kept"
    (tmp_path / "out" / "bob.nii.gz").unlink()
    code, rows, *_ = cohort("--bids", bids)
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 1 and f"{mask} was edited, or saved by another program" in note
    assert mask.read_bytes() == corrected


@pytest.mark.parametrize("keeps_header", [True, False])
def test_region_masks_and_bids_dataset_follow_a_mask_however_often_it_is_corrected(
    cohort, tmp_path, keeps_header
):
    options = "--regions", "--bids", tmp_path / "bids"
    mask = tmp_path / "out" / "bob.nii.gz"
    cohort(*options)
    for number in range(2):
        correct(mask, keeps_header=keeps_header, number=number)
        code, rows, *_ = cohort(*options)
        (note,) = (row["note"] for row in rows if row["case"] == "bob")
        assert code == 0 and note.endswith("region masks and BIDS files written from it")
        assert_follows(mask, tmp_path / "bids")


def assert_follows(mask, bids):
    (copy,) = (path for path in bids.rglob("*_dseg.nii.gz") if "bob" in path.name)
    stored, written = (np.asarray(nib.load(path).dataobj) for path in (mask, copy))
    assert np.array_equal(stored, written)
    whole = np.asarray(nib.load(mask.with_name("bob_wt.nii.gz")).dataobj)
    assert np.array_equal(whole > 0, stored > 0)


def test_a_correction_is_discarded_with_the_mask_although_copies_followed_it(cohort, tmp_path):
    options = "--regions", "--bids", tmp_path / "bids"
    mask = tmp_path / "out" / "bob.nii.gz"
    cohort(*options)
    correct(mask)
    cohort(*options)
    mask.unlink()
    code, rows, *_ = cohort(*options)
    assert code == 0 and [row["outcome"] for row in rows] == ["kept", "segmented", "kept"]
    assert_follows(mask, tmp_path / "bids")


def test_all_corrected_masks_of_a_case_are_named_before_the_network_runs(
    cohort, tmp_path, monkeypatch
):
    cohort("--regions", "--bids", tmp_path / "bids")
    (tmp_path / "out" / "bob.nii.gz").unlink()
    edited = [path for path in tmp_path.rglob("*.nii.gz") if path.name.startswith(DERIVED_OF_BOB)]
    before = [correct(path) for path in edited]
    monkeypatch.setattr(inference, "segment", lambda *_, **__: pytest.fail("the network ran"))
    code, rows, *_ = cohort("--regions", "--bids", tmp_path / "bids")
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 1 and all(str(path) in note for path in edited) and len(edited) == 4
    assert [path.read_bytes() for path in edited] == before


def test_a_corrected_mask_that_was_exported_to_the_dataset_is_kept(cohort, tmp_path):
    bids = tmp_path / "bids"
    cohort("--bids", bids)
    mask = read_stored_mask(tmp_path / "out" / "bob.nii.gz", "bob", "brats2018")
    classes = mask.classes.copy()
    classes[tuple(np.argwhere(classes == 0)[len(classes) // 2])] = TissueClass.ET
    edited = replace(mask, classes=classes, made_by=mask.made_by.edited)
    image, *_ = write_bids(edited, bids, scheme="brats2018", overwrite=True)
    before = image.read_bytes()
    code, rows, *_ = cohort("--bids", bids)
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 0 and note == f"{image} was corrected, differs from this mask and was kept"
    assert image.read_bytes() == before


@pytest.mark.parametrize("is_known", [True, False])
def test_a_corrected_mask_in_a_dataset_that_a_run_has_not_written_is_kept(
    cohort, tmp_path, is_known
):
    bids = tmp_path / "bids"
    cohort()
    mask = read_stored_mask(tmp_path / "out" / "bob.nii.gz", "bob", "brats2018")
    classes = mask.classes.copy()
    classes[tuple(np.argwhere(classes == 0)[len(classes) // 2])] = TissueClass.ET
    made_by = mask.made_by.edited if is_known else None
    image, *_ = write_bids(replace(mask, classes=classes, made_by=made_by), bids)
    before = image.read_bytes()
    code, rows, *_ = cohort("--bids", bids)
    (note,) = (row["note"] for row in rows if row["case"] == "bob")
    assert code == 0 and note == f"{image} was corrected, differs from this mask and was kept"
    assert image.read_bytes() == before


def test_overwriting_does_not_mind_the_corrected_mask_of_a_case_that_is_gone(
    cohort, data, tmp_path
):
    cohort()
    mask = tmp_path / "out" / "bob.nii.gz"
    before = correct(mask)
    (data / "bob").rename(tmp_path / "bob")
    assert cohort("--overwrite")[0] == 0
    assert mask.read_bytes() == before


def test_a_mask_that_is_corrected_during_a_run_is_kept(cohort, tmp_path, monkeypatch):
    cohort()
    mask, corrected = tmp_path / "out" / "bob.nii.gz", []

    def then_corrected(computed):
        if computed.case.name == "bob":
            corrected.append(correct(mask))
        return second_look_at(computed)

    monkeypatch.setattr(writing, "second_look_at", then_corrected)
    code, rows, *_ = cohort("--overwrite")
    assert code == 1 and [row["outcome"] for row in rows] == ["segmented", "failed", "segmented"]
    assert [mask.read_bytes()] == corrected


def correct(path, *, keeps_header: bool = True, number: int = 0) -> bytes:
    """Edit a mask as another program does; what the file holds then."""
    image = nib.load(path)
    voxels = np.asarray(image.dataobj).copy()
    edge = tuple(np.argwhere(voxels == 0)[len(voxels) // 2 + number])
    voxels[edge] = voxels.max()
    header = image.header if keeps_header else None
    nib.save(nib.Nifti1Image(voxels, image.affine, header), path)
    return path.read_bytes()


def test_overwriting_that_is_interrupted_keeps_none_of_the_old_masks(
    cohort, monkeypatch, tmp_path, weights_to_tune
):
    cohort()
    interrupt_in_second_case(monkeypatch)
    code, *_ = cohort("--overwrite", weights=weights_to_tune)
    assert code == 130
    code, rows, *_ = cohort(weights=weights_to_tune)
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "segmented", "segmented"]
    assert len({row["weights"] for row in rows}) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_after_a_kill_the_same_command_finishes(cohort, data, narrow_weights, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(data), "-o", str(out)]
    command += ["--backend", "torch", "--weights", str(narrow_weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ}) as process:
        assert process.stdout is not None
        assert b"3 cases of" in process.stdout.readline()
        assert b"ann" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert len(rows_of(out / TABLE)) >= 1
    json.loads((out / SETTINGS).read_text())
    for mask in out.glob("???.nii.gz"):
        assert np.asarray(nib.load(mask).dataobj).shape == (20, 22, 18)
    code, rows, *_ = cohort()
    assert code == 0
    assert rows[0]["outcome"] == "kept"
    assert [row["case"] for row in rows] == list(NAMES)


def test_regions_asked_for_later_are_written_from_the_kept_masks(cohort, tmp_path):
    out = tmp_path / "out"
    cohort()
    masks = {name: version(out / f"{name}.nii.gz") for name in NAMES}
    code, rows, stdout, _ = cohort("--regions")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"kept"}
    assert {row["note"] for row in rows} == {"region masks written from the mask"}
    assert "kept; region masks written from the mask" in stdout
    assert {name: version(out / f"{name}.nii.gz") for name in NAMES} == masks
    for name in NAMES:
        labels = nib.load(out / f"{name}.nii.gz")
        for region, values in {"et": (4,), "tc": (1, 4), "wt": (1, 2, 4)}.items():
            mask = nib.load(out / f"{name}_{region}.nii.gz")
            np.testing.assert_array_equal(mask.affine, labels.affine)
            assert mask.header["xyzt_units"] == labels.header["xyzt_units"]
            inside = np.isin(np.asarray(labels.dataobj), values)
            np.testing.assert_array_equal(np.asarray(mask.dataobj), inside)
    _, rows, *_ = cohort("--regions")
    assert {row["note"] for row in rows} == {""}


def test_region_masks_written_from_a_mask_are_those_of_the_network(cohort, tmp_path):
    cohort("--regions")
    cohort(output=tmp_path / "later")
    cohort("--regions", output=tmp_path / "later")
    assert files_of(tmp_path / "later") == files_of(tmp_path / "out")
    for path in (tmp_path / "out").glob("*_??.nii.gz"):
        assert path.read_bytes() == (tmp_path / "later" / path.name).read_bytes()


@pytest.mark.parametrize("missing", ["bob_et.nii.gz", "bob_wt.nii.gz"])
def test_one_missing_region_mask_is_written_again(cohort, tmp_path, missing):
    cohort("--regions")
    before = (tmp_path / "out" / missing).read_bytes()
    (tmp_path / "out" / missing).unlink()
    _, rows, *_ = cohort("--regions")
    assert [row["note"] for row in rows] == ["", "region masks written from the mask", ""]
    assert (tmp_path / "out" / missing).read_bytes() == before


def test_a_missing_lesion_table_is_written_from_the_mask(cohort, tmp_path):
    cohort()
    table = tmp_path / "out" / "bob_lesions.csv"
    before = table.read_bytes()
    table.unlink()
    _, rows, *_ = cohort()
    assert [row["note"] for row in rows] == ["", "lesion table written from the mask", ""]
    assert len(table.read_bytes().splitlines()) == len(before.splitlines())


def test_tables_and_region_masks_follow_a_mask_that_was_corrected(cohort, monkeypatch, tmp_path):
    monkeypatch.setattr(SecondLook, "candidates", one_candidate)
    out = tmp_path / "out"
    cohort("--regions", "--candidates")
    image = nib.load(out / "bob.nii.gz")
    corrected = np.zeros(image.shape, np.uint8)
    corrected[3:5, 4, 5] = 4
    nib.save(nib.Nifti1Image(corrected, image.affine, image.header), out / "bob.nii.gz")
    before = (out / "bob.nii.gz").read_bytes()
    code, rows, *_ = cohort()  # region masks follow without the option, too
    assert code == 0
    note = "the mask was corrected: lesion table and region masks written from it"
    assert [(row["outcome"], row["note"]) for row in rows] == [
        ("kept", ""),
        ("kept", note),
        ("kept", ""),
    ]
    assert (out / "bob.nii.gz").read_bytes() == before
    for table in (out / "bob_lesions.csv", out / "lesions.csv"):
        with table.open() as file:
            of_bob = [row for row in csv.DictReader(file) if row.get("case", "bob") == "bob"]
        assert [(row["list"], row["voxels"]) for row in of_bob] == [("found", "2")]
    for region in ("et", "tc", "wt"):
        mask = np.asarray(nib.load(out / f"bob_{region}.nii.gz").dataobj)
        np.testing.assert_array_equal(mask, corrected != 0)
    assert not (out / "bob_candidates.nii.gz").exists()
    assert (out / "ann_candidates.nii.gz").exists()
    _, rows, *_ = cohort()
    assert {row["note"] for row in rows} == {""}


def test_region_masks_follow_a_mask_that_is_made_again(cohort, tmp_path, weights_to_tune):
    """Also without the option, or they would be of the old mask."""
    cohort("--regions")
    cohort("--overwrite", weights=weights_to_tune)
    for name in NAMES:
        labels = np.asarray(nib.load(tmp_path / "out" / f"{name}.nii.gz").dataobj)
        whole = np.asarray(nib.load(tmp_path / "out" / f"{name}_wt.nii.gz").dataobj)
        np.testing.assert_array_equal(whole == 1, labels > 0)


def test_overwriting_a_part_of_the_cases_marks_the_other_masks_as_outdated(cohort, data, tmp_path):
    cohort()
    (data / "cyd").rename(tmp_path / "cyd")
    _, rows, *_ = cohort("--overwrite", "--labels", "msd")
    assert [row["case"] for row in rows] == ["ann", "bob"]
    (tmp_path / "cyd").rename(data / "cyd")
    _, rows, *_ = cohort("--labels", "msd")
    assert [row["outcome"] for row in rows] == ["kept", "kept", "segmented"]


def test_a_mask_is_not_kept_for_images_that_took_the_place_of_its_own(cohort, data, tmp_path):
    cohort()
    for path in (data / "bob").iterdir():
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), path)
    code, rows, *_ = cohort()
    assert code == 1
    assert [row["outcome"] for row in rows] == ["kept", "failed", "kept"]
    assert "images have changed since" in rows[1]["note"] and "delete the mask" in rows[1]["note"]
    (tmp_path / "out" / "bob.nii.gz").unlink()
    assert cohort()[0] == 0


def test_what_is_known_of_a_mask_is_in_the_table_of_a_rerun_too(cohort, tmp_path):
    _, before, *_ = cohort()
    _, after, *_ = cohort()
    for first, later in zip(before, after, strict=True):
        assert first.pop("outcome") == "segmented" and later.pop("outcome") == "kept"
        assert first == later
    assert before[0]["participant_id"] == "sub-ann"
    for row in before:
        found = float(row["wt_ml"]) > 0
        assert (row["expected_dice_wt"] != "") == found
        assert not found or 0 < float(row["expected_dice_wt"]) <= 1
    assert len(before[0]["digest"]) == 64 and before[0]["backend"] == "torch"


def test_candidates_asked_for_later_are_written_for_masks_of_the_network(
    cohort, monkeypatch, tmp_path
):
    monkeypatch.setattr(SecondLook, "candidates", one_candidate)
    out = tmp_path / "out"
    cohort()
    masks = {name: version(out / f"{name}.nii.gz") for name in NAMES}
    image = nib.load(out / "bob.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine), out / "bob.nii.gz")
    corrected = version(out / "bob.nii.gz")
    code, rows, *_ = cohort("--candidates")
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "kept", "kept"]
    assert rows[0]["note"] == "candidates written" and "corrected" in rows[1]["note"]
    found = {name: version(out / f"{name}.nii.gz") for name in NAMES}
    assert found == {**masks, "bob": corrected}
    written = {path.name for path in out.glob("*_candidates.nii.gz")}
    assert written == {"ann_candidates.nii.gz", "cyd_candidates.nii.gz"}
    assert CohortCaseRecord.read(out / "bob_run.json").candidates == ""
    for name in ("ann", "cyd"):
        record = CohortCaseRecord.read(out / f"{name}_run.json")
        assert record.candidates == digest_of_file(out / f"{name}_candidates.nii.gz")


@pytest.mark.slow
def test_tables_of_all_cases_are_never_of_another_run_than_the_table(
    cohort, smalltumor, monkeypatch, tmp_path
):
    for package in ("pyarrow", "jinja2", "matplotlib"):
        pytest.importorskip(package)
    out, summaries = tmp_path / "out", set(SUMMARIES)
    cohort("--parquet", "--report")
    assert summaries <= files_of(out)
    interrupt_in_second_case(monkeypatch)
    code, rows, *_ = cohort("--overwrite", "--flips")
    assert (code, len(rows)) == (130, 1)
    assert not summaries & files_of(out)
    assert smalltumor("cohort-report", out)[0] == 0
    assert "The run had not ended" in (out / PAGE).read_text(encoding="utf-8")
    (out / PAGE).unlink()
    assert cohort("--flips")[0] == 0
    assert summaries <= files_of(out)
    assert "The run had not ended" not in (out / PAGE).read_text(encoding="utf-8")
    (out / PAGE).unlink()
    assert cohort("--flips")[0] == 0
    assert PAGE not in files_of(out)


def test_parquet_and_page_of_an_earlier_run_are_renewed_with_the_tables(
    cohort, monkeypatch, tmp_path
):
    parquet = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    cohort("--parquet", "--report")
    before = (out / "cohort.html").read_bytes()
    image = nib.load(out / "bob.nii.gz")
    corrected = np.zeros(image.shape, np.uint8)
    corrected[3:5, 4, 5] = 4
    nib.save(nib.Nifti1Image(corrected, image.affine, image.header), out / "bob.nii.gz")
    assert cohort()[0] == 0
    rows = parquet.read_table(out / "lesions.parquet").to_pylist()
    assert [row["voxels"] for row in rows if row["case"] == "bob"] == [2]
    assert (out / "cohort.html").read_bytes() != before
    for package in ("pyarrow.parquet", "jinja2"):
        monkeypatch.setitem(sys.modules, package, None)
    _, _, _, err = cohort()
    assert not set(out.glob("*.parquet")) and not (out / "cohort.html").exists()
    for removed in (
        "removed cohort.html of an earlier run: a page needs the extra report",
        "removed cohort.parquet and lesions.parquet of an earlier run: they need the extra cohort",
    ):
        assert removed in err
    assert "removed" not in cohort()[3]


def test_the_label_of_a_patient_of_an_earlier_run_is_not_given_to_another(cohort, data, tmp_path):
    for name, case in (("ann", "PAT_1_12"), ("bob", "PAT_11_2")):
        (data / name).rename(data / case)
        for path in (data / case).iterdir():
            path.rename(path.with_name(path.name.replace(name, case)))
    (data / "PAT_11_2").rename(tmp_path / "PAT_11_2")
    assert [row["participant_id"] for row in cohort()[1]] == ["sub-PAT112", "sub-cyd"]
    (data / "PAT_1_12").rename(tmp_path / "PAT_1_12")
    (tmp_path / "PAT_11_2").rename(data / "PAT_11_2")
    code, rows, out, _ = cohort()
    assert (code, [row["participant_id"] for row in rows]) == (0, ["", "sub-cyd"])
    assert "no participant_id" in out
