"""Cohorts: each case is segmented once, and a failed case does not stop the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from cohort_files import NAMES, files_of, found_in, rows_of
from second_look_cases import one_candidate
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE
from smalltumor.cohort.results.rows import CohortRow
from smalltumor.cohort.results.tables import GrowingTable
from smalltumor.errors import OutputError
from smalltumor.second_look import SecondLook
from synthetic import write_case


def test_candidates_are_rows_of_the_table_and_label_images_and_are_evaluated(
    smalltumor, narrow_weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(SecondLook, "candidates", one_candidate)
    write_case(tmp_path / "data" / "ann", name="ann")
    out, truth = tmp_path / "out", tmp_path / "truth"
    code, _, stderr = smalltumor(
        *("cohort", tmp_path / "data", "-o", out, "--backend", "torch", "--weights"),
        *(narrow_weights, "--candidates", "--labels", "brats2023"),
    )
    assert code == 0, stderr
    rows = rows_of(out / "ann_lesions.csv")
    offered = {int(row["id"]) for row in rows if row["list"] == "second_look"}
    image = nib.load(out / "ann_candidates.nii.gz")
    assert offered
    assert set(np.unique(np.asarray(image.dataobj)).tolist()) - {0} == offered
    truth.mkdir()
    shutil.copy(out / "ann.nii.gz", truth)
    code, stdout, stderr = smalltumor(
        *("evaluate", out, truth, "--labels", "brats2023", "--truth-labels", "brats2023")
    )
    assert code == 0, stderr
    assert "false positives" in stdout


def test_every_case_gets_a_mask_on_its_grid_a_lesion_table_and_a_row(cohort, data, tmp_path):
    code, rows, stdout, stderr = cohort("--regions", "--labels", "brats2023")
    assert code == 0, stderr
    assert [(row["case"], row["outcome"]) for row in rows] == [(n, "segmented") for n in NAMES]
    for name, row in zip(NAMES, rows, strict=True):
        mask = nib.load(tmp_path / "out" / f"{name}.nii.gz")
        source = nib.load(data / name / f"{name}_t1ce.nii.gz")
        np.testing.assert_array_equal(mask.affine, source.affine)
        labels = np.asarray(mask.dataobj)
        assert set(np.unique(labels)) <= {0, 1, 2, 3}
        assert float(row["wt_ml"]) == pytest.approx(np.count_nonzero(labels) / 1000, abs=1e-3)
        et = np.asarray(nib.load(tmp_path / "out" / f"{name}_et.nii.gz").dataobj)
        np.testing.assert_array_equal(et == 1, labels == 3)
        lesions = found_in(tmp_path / "out" / f"{name}_lesions.csv")
        assert len(lesions) == int(row["et_components"])
        assert sum(lesion["small"] == "true" for lesion in lesions) == int(row["et_small"])
    assert "[3/3] cyd: ET " in stdout
    assert "3 cases, 0 failed; research only" in stdout


def test_a_cohort_writes_the_same_mask_as_the_segment_command(cohort, smalltumor, data, tmp_path):
    cohort()
    smalltumor("segment", data / "bob", "-o", tmp_path / "one.nii.gz")
    one, many = (nib.load(p) for p in (tmp_path / "one.nii.gz", tmp_path / "out" / "bob.nii.gz"))
    np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(many.dataobj))


def test_a_results_folder_can_be_evaluated(cohort, smalltumor, tmp_path):
    cohort("--regions")
    truth = tmp_path / "truth"
    truth.mkdir()
    for name in NAMES:
        shutil.copy(tmp_path / "out" / f"{name}.nii.gz", truth / f"{name}_seg.nii.gz")
    code, _, stderr = smalltumor(
        *("evaluate", tmp_path / "out", truth, "--labels", "brats2018"),
        *("--truth-labels", "brats2018", "-o", tmp_path / "report"),
    )
    assert code == 0, stderr
    scores = rows_of(tmp_path / "report" / "cases.csv")
    assert {row["case"] for row in scores} == set(NAMES)
    assert {float(row["dice"]) for row in scores} == {1.0}


def test_a_case_that_cannot_be_read_fails_and_the_others_are_segmented(cohort, data, tmp_path):
    (data / "bob" / "bob_t2.nii.gz").write_bytes(b"not an image")
    code, rows, stdout, stderr = cohort()
    assert code == 1
    assert [row["outcome"] for row in rows] == ["segmented", "failed", "segmented"]
    assert "bob_t2.nii.gz" in rows[1]["note"]
    assert "second look" in rows[0]["warnings"] or "scores of lesions" in rows[0]["warnings"]
    assert "bob: failed: " in stdout and "3 cases, 1 failed" in stdout
    assert stderr == ""
    assert not (tmp_path / "out" / "bob.nii.gz").exists()


def test_a_damaged_mask_is_reported_as_failed(cohort, tmp_path):
    cohort()
    (tmp_path / "out" / "cyd.nii.gz").write_bytes(b"half")
    code, rows, *_ = cohort()
    assert code == 1
    assert rows[2]["outcome"] == "failed"
    assert "cyd.nii.gz" in rows[2]["note"] and "delete it" in rows[2]["note"]


def test_scans_on_several_grids_fail_and_are_sent_to_the_preparation(cohort, data):
    for name in NAMES:
        t2 = data / name / f"{name}_t2.nii.gz"
        image = nib.load(t2)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[:-1], image.affine), t2)
    code, _, stdout, stderr = cohort()
    assert code == 1
    assert "ann: failed: ann_t2.nii.gz is on another grid than ann_t1ce.nii.gz" in stdout
    assert "failed with images on several grids: 3; if the images come from the scanner" in stderr
    assert "`smalltumor prepare FOLDER CASE`" in stderr


def test_two_cases_of_one_name_are_told_apart_by_their_folders(cohort, data, tmp_path):
    (data / "more").mkdir()
    (data / "ann").rename(data / "more" / "ann")
    write_case(data / "ann", name="ann")
    code, *_ = cohort()
    assert code == 0
    masks = {path.name for path in (tmp_path / "out").glob("*ann*.nii.gz")}
    assert masks == {"ann.nii.gz", "more_ann.nii.gz"}


def test_the_masks_are_written_to_a_bids_dataset_too(cohort, tmp_path):
    bids = tmp_path / "bids"
    code, rows, *_ = cohort("--bids", bids, "--authors", "A. Meier", "B. Huber")
    assert code == 0
    description = json.loads((bids / "dataset_description.json").read_text())
    assert description["Authors"] == ["A. Meier", "B. Huber"]
    images = sorted(bids.rglob("*_seg-tumor_dseg.nii.gz"))
    assert len(images) == len([row for row in rows if row["outcome"] == "segmented"])
    mask = tmp_path / "out" / "ann.nii.gz"
    (ann,) = (path for path in images if "ann" in path.name)
    assert ann.read_bytes() == mask.read_bytes()
    ann.unlink()
    _, rows, *_ = cohort("--bids", bids)
    assert ann.exists()
    (row,) = (row for row in rows if row["case"] == "ann")
    assert "BIDS files written from the mask" in row["note"]


def test_a_mask_of_another_patient_in_the_dataset_is_not_replaced(cohort, data, tmp_path):
    bids = tmp_path / "bids"
    cohort("--bids", bids)
    (ann,) = (path for path in bids.rglob("*_seg-tumor_dseg.nii.gz") if "ann" in path.name)
    of_other = ann.read_bytes()
    shutil.rmtree(tmp_path / "out")
    shutil.rmtree(data / "ann")
    write_case(data / "ann", name="ann", seed=11)  # another patient of the name, elsewhere
    cohort()
    mask = (tmp_path / "out" / "ann.nii.gz").read_bytes()
    code, rows, *_ = cohort("--bids", bids, "--overwrite")
    assert code == 1 and "is a mask of other images" in rows[0]["note"]
    assert ann.read_bytes() == of_other and (tmp_path / "out" / "ann.nii.gz").read_bytes() == mask


def test_a_dataset_that_cannot_be_written_to_costs_no_mask(cohort, tmp_path):
    cohort()
    mask, bids = tmp_path / "out" / "ann.nii.gz", tmp_path / "bids"
    before = mask.read_bytes()
    bids.mkdir()
    (bids / "sub-ann").write_text("a file")
    code, _, _, stderr = cohort("--bids", bids, "--overwrite")
    assert code == 1 and "sub-ann is a file, not a folder" in stderr
    assert mask.read_bytes() == before


def test_a_full_disk_ends_the_run(cohort, monkeypatch, tmp_path):
    def full(*arguments, **options):
        raise OutputError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("smalltumor.data.segmentation.write_segmentation", full)
        code, rows, _, stderr = cohort()
    assert code == 1
    assert "no space left" in stderr
    assert rows == []
    code, rows, *_ = cohort()
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}


def test_unnamed_files_in_the_data_folder_are_named_after_it(smalltumor, narrow_weights, tmp_path):
    folder = write_case(tmp_path / "patient7")
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.removeprefix("case_")))
    command = ("cohort", folder, "-o", tmp_path / "out", "--backend", "torch")
    code, _, stderr = smalltumor(*command, "--weights", narrow_weights)
    assert code == 0, stderr
    of_case = {"patient7.nii.gz", "patient7_lesions.csv", "patient7_run.json"}
    assert files_of(tmp_path / "out") == {"cohort.csv", "cohort.json", "lesions.csv", *of_case}


def test_files_without_a_case_name_take_the_name_of_their_folder(
    smalltumor, narrow_weights, tmp_path
):
    data = write_case(tmp_path / "P 01")
    for path in data.iterdir():
        path.rename(path.with_name(path.name.removeprefix("case_")))
    code, *_ = smalltumor(
        *("cohort", data, "-o", tmp_path / "out", "--backend", "torch"),
        *("--weights", narrow_weights),
    )
    assert code == 0
    results = {"P 01.nii.gz", "P 01_lesions.csv", "P 01_run.json", "cohort.csv", "cohort.json"}
    results.add("lesions.csv")
    assert files_of(tmp_path / "out") == results


def test_whatever_goes_wrong_with_one_case_stops_no_other(cohort, monkeypatch):
    from smalltumor import inference

    segment = inference.segment

    def unlucky(case, *arguments, **options):
        if case.name == "bob":
            raise RuntimeError("an error of\na library")
        return segment(case, *arguments, **options)

    monkeypatch.setattr(inference, "segment", unlucky)
    code, rows, *_ = cohort()
    assert code == 1
    assert [row["outcome"] for row in rows] == ["segmented", "failed", "segmented"]
    assert rows[1]["note"] == "RuntimeError: an error of a library"


def test_a_row_that_does_not_fit_on_the_disk_leaves_the_rows_before_whole(tmp_path, monkeypatch):
    with GrowingTable.at(tmp_path / TABLE) as table:
        table.append(CohortRow("ann", "segmented"))
        write = os.write
        calls = []

        def full(file, content):
            calls.append(content)
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return write(file, content[:3])

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match=r"cohort\.csv could not be written: No space"):
            table.append(CohortRow("bob", "segmented"))
        monkeypatch.undo()
    assert [row["case"] for row in rows_of(tmp_path / TABLE)] == ["ann"]


def test_files_of_the_cohort_are_written_a_fixed_number_of_times(cohort, monkeypatch):
    """Once for each case, ten thousand cases would take hours to record."""
    from smalltumor.files import atomic

    written = []
    move = atomic.move_into_place
    monkeypatch.setattr(atomic, "move_into_place", lambda *a: (written.append(a[1].name), move(*a)))
    cohort()
    cohort("--overwrite")
    assert 0 < written.count(SETTINGS) <= 4
    assert written.count(TABLE) == 2


@pytest.mark.parametrize(
    "words", [("--workers", 2), ("--timeout", 9), ("--scheduler", "tcp://x:1")]
)
def test_workers_need_an_extra_and_say_which(cohort, monkeypatch, words):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, rows, _, err = cohort(*words)
    assert (code, rows) == (1, [])
    assert 'pip install "napari-smalltumor[cohort]"' in err
    assert "Traceback" not in err


def test_dask_is_imported_for_workers_only():
    code = "import smalltumor.cohort.cohort, smalltumor.cli, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dask", "distributed", "torch", "pyarrow"} & set(run.stdout.split())


def test_tables_of_cases_and_lesions_are_the_same_as_parquet(cohort, data, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (data / "bob" / "bob_t2.nii.gz").write_bytes(b"not an image")
    code, rows, *_ = cohort("--parquet")
    assert code == 1
    out = tmp_path / "out"
    cases = parquet.read_table(out / "cohort.parquet").to_pylist()
    assert [case["case"] for case in cases] == list(NAMES)
    assert [case["wt_ml"] for case in cases] == [
        float(row["wt_ml"]) if row["wt_ml"] else None for row in rows
    ]
    assert [case["et_small"] for case in cases][1] is None
    lesions = parquet.read_table(out / "lesions.parquet").to_pylist()
    of_cases = [
        (name, float(lesion["mm3"]), lesion["small"] == "true", lesion["list"])
        for name in ("ann", "cyd")
        for lesion in rows_of(out / f"{name}_lesions.csv")
    ]
    found = [(one["case"], one["mm3"], one["small"], one["list"]) for one in lesions]
    assert found == of_cases
    assert {(one["case"], one["participant_id"]) for one in lesions} <= {
        (case["case"], case["participant_id"]) for case in cases
    }
    assert len(rows_of(out / "lesions.csv")) == len(lesions)


@pytest.mark.parametrize("words", [("--workers", 0), ("--workers", 1.5), ("--timeout", "nan")])
def test_a_number_of_workers_or_seconds_that_makes_no_sense_is_refused(cohort, words, capsys):
    with pytest.raises(SystemExit):
        cohort(*words)
    assert "is not a" in capsys.readouterr().err


def test_parquet_that_cannot_be_written_is_refused_before_the_work(cohort, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    code, _, stdout, err = cohort("--parquet")
    assert (code, stdout) == (1, "")
    assert 'pip install "napari-smalltumor[cohort]"' in err


def test_the_first_line_says_what_the_run_does_and_volumes_have_a_unit(cohort, data, tmp_path):
    _, _, out, _ = cohort()
    first, case, *_ = out.splitlines()
    assert first == (
        f"3 cases of {data}, of which 3 to segment with the weights random weights (seed 3), "
        f"on cpu with 1 worker; results go to {tmp_path / 'out'}"
    )
    assert re.search(r"ET [\d.]+ ml, TC [\d.]+ ml, WT [\d.]+ ml; ", case)
    (tmp_path / "out" / f"{NAMES[0]}.nii.gz").unlink()
    assert "3 cases of " in (again := cohort()[2]) and "of which 1 to segment" in again
