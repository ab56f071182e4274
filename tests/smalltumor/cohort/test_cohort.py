"""Cohorts: each case is segmented once, and a failed case does not stop the others."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from second_look_cases import one_candidate
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.results_folder import SETTINGS, TABLE
from smalltumor.cohort.rows import CohortRow
from smalltumor.cohort.settings import CohortSettings
from smalltumor.cohort.tables import GrowingTable
from smalltumor.data.preprocessing import PREPROCESSING_VERSION
from smalltumor.errors import CaseError, OutputError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.second_look import SecondLook
from synthetic import write_case

NAMES = ("ann", "bob", "cyd")


@pytest.fixture
def data(tmp_path) -> Path:
    """Three cases, a folder each."""
    for name in NAMES:
        folder = write_case(tmp_path / "data" / name)
        for path in folder.iterdir():
            path.rename(path.with_name(path.name.replace("case", name)))
    return tmp_path / "data"


@pytest.fixture
def cohort(smalltumor, narrow_weights, data, tmp_path):
    """Run `smalltumor cohort`; gives code, rows of the table, stdout, stderr."""

    def run(*words, output=tmp_path / "out", weights=narrow_weights):
        code, out, err = smalltumor(
            "cohort", data, "-o", output, "--backend", "torch", "--weights", weights, *words
        )
        table = output / TABLE
        return code, rows_of(table) if table.exists() else [], out, err

    return run


def version(path: Path) -> tuple[int, int]:
    """What changes when a file is replaced; reading it changes its access time alone."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def found_in(table: Path) -> list[dict[str, str]]:
    return [row for row in rows_of(table) if row["list"] == "found"]


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
    assert "false offers" in stdout


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


def test_only_half_written_files_of_a_killed_run_are_removed(cohort, tmp_path):
    cohort()
    half, own = tmp_path / "out" / ".smalltumor-0123.part", tmp_path / "out" / ".notes"
    half.write_bytes(b"half a mask")
    own.write_text("of the user's own")
    code, *_ = cohort()
    assert code == 0
    assert not half.exists()
    assert own.exists()


def test_overwrite_segments_again(cohort, tmp_path):
    cohort()
    first = version(tmp_path / "out" / "ann.nii.gz")
    code, rows, *_ = cohort("--overwrite")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}
    assert version(tmp_path / "out" / "ann.nii.gz") != first


def test_overwriting_that_is_interrupted_keeps_none_of_the_old_masks(
    cohort, monkeypatch, tmp_path, weights_to_tune
):
    from smalltumor import inference

    cohort()
    segment, calls = inference.segment, []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return segment(*arguments, **options)

    monkeypatch.setattr(inference, "segment", interrupted)
    code, *_ = cohort("--overwrite", weights=weights_to_tune)
    assert code == 130
    code, rows, *_ = cohort(weights=weights_to_tune)
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "segmented", "segmented"]
    assert len({row["weights"] for row in rows}) == 1


def test_a_damaged_mask_is_reported_as_failed(cohort, tmp_path):
    cohort()
    (tmp_path / "out" / "cyd.nii.gz").write_bytes(b"half")
    code, rows, *_ = cohort()
    assert code == 1
    assert rows[2]["outcome"] == "failed"
    assert "cyd.nii.gz" in rows[2]["note"] and "delete it" in rows[2]["note"]


@pytest.mark.parametrize("words", [("--labels", "msd"), ("--flips",)])
def test_a_results_folder_holds_masks_of_one_setting(cohort, words):
    """1 and 2 mean the opposite in two of the schemes."""
    cohort()
    code, _, stdout, stderr = cohort(*words)
    assert (code, stdout) == (1, "")
    assert "made with" in stderr and "--overwrite" in stderr


def test_other_weights_need_another_folder_or_overwrite(cohort, tmp_path, weights_to_tune):
    cohort()
    code, _, _, stderr = cohort(weights=weights_to_tune)
    assert code == 1
    assert "digest" in stderr
    code, rows, *_ = cohort("--overwrite", weights=weights_to_tune)
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}


def test_masks_of_another_preprocessing_are_replaced_and_never_continued(cohort, tmp_path):
    cohort()
    (tmp_path / "out" / "bob.nii.gz").unlink()
    path = tmp_path / "out" / SETTINGS
    settings = json.loads(path.read_text())
    key, before = "preprocessing_version", PREPROCESSING_VERSION - 1
    assert settings.pop(key) == PREPROCESSING_VERSION
    for recorded, said in ({}, "of an earlier release"), ({key: before}, before):
        path.write_text(json.dumps(settings | recorded))
        code, _, _, stderr = cohort()
        assert code == 1
        assert f"holds masks made with preprocessing version {said}" in stderr
        assert "--overwrite" in stderr
        assert not (tmp_path / "out" / "bob.nii.gz").exists()
    code, rows, *_ = cohort("--overwrite")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}
    assert json.loads(path.read_text())[key] == PREPROCESSING_VERSION


def test_a_folder_with_other_files_is_not_written_to(cohort, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ann.nii.gz").write_bytes(b"somebody's")
    code, _, _, stderr = cohort()
    assert code == 1
    assert "name a folder for the results alone" in stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["ann.nii.gz"]


def test_scans_on_several_grids_fail_and_are_sent_to_the_preparation(cohort, data):
    for name in NAMES:
        t2 = data / name / f"{name}_t2.nii.gz"
        image = nib.load(t2)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[:-1], image.affine), t2)
    code, _, stdout, stderr = cohort()
    assert code == 1
    assert "ann: failed: ann_t2.nii.gz is on another grid than ann_t1ce.nii.gz" in stdout
    assert "failed with images on several grids: 3; if the images are as scanned" in stderr
    assert "`smalltumor prepare FOLDER CASE`" in stderr


def test_results_among_the_cases_are_refused(cohort, data):
    code, _, _, stderr = cohort(output=data / "masks")
    assert code == 1
    assert "inside" in stderr
    assert not (data / "masks").exists()


def test_results_inside_those_of_another_run_are_refused(data, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "cohort.json").write_text("{}", encoding="utf-8")
    for inside in (masks / "flips", masks / "reviews" / "ann"):
        with pytest.raises(OutputError, match="inside the results in"):
            cohort_cases(data, inside)
    assert cohort_cases(data, masks)  # an interrupted run goes on


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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_after_a_kill_the_same_command_finishes(cohort, data, narrow_weights, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "smalltumor.cli", "cohort", str(data), "-o", str(out)]
    command += ["--backend", "torch", "--weights", str(narrow_weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ}) as process:
        assert process.stdout is not None
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


def files_of(folder: Path) -> set[str]:
    """Names of the visible files of a folder."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


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


def test_a_missing_lesion_table_is_written_from_the_mask_which_may_have_been_corrected(
    cohort, tmp_path
):
    cohort()
    mask, table = tmp_path / "out" / "bob.nii.gz", tmp_path / "out" / "bob_lesions.csv"
    image = nib.load(mask)
    corrected = np.zeros(image.shape, np.uint8)
    corrected[3:5, 4, 5] = 4
    nib.save(nib.Nifti1Image(corrected, image.affine, image.header), mask)
    before = mask.read_bytes()
    table.unlink()
    code, rows, *_ = cohort()
    assert code == 0
    assert [row["outcome"] for row in rows] == ["kept", "kept", "kept"]
    assert rows[1]["note"] == "lesion table written from the mask"
    assert mask.read_bytes() == before
    with table.open() as file:
        (lesion,) = csv.DictReader(file)
    assert lesion["voxels"] == "2"


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


def test_two_runs_at_once_on_one_results_folder_are_refused(cohort, data, narrow_weights, tmp_path):
    out = tmp_path / "out"
    running = segment_cohort(
        cohort_cases(data, out),
        load_checkpoint(narrow_weights),
        CohortSettings(out, backend="torch", device="cpu"),
    )
    assert next(running).case == "ann"
    code, _, stdout, stderr = cohort()
    assert (code, stdout) == (1, "")
    assert "another run is writing to" in stderr
    assert [row.case for row in running] == ["bob", "cyd"]
    assert cohort()[0] == 0


def test_the_data_folder_is_refused_as_the_results_folder(cohort, data, tmp_path):
    before = files_of(data)
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    for output in (data, data / ".." / "data", tmp_path / "link"):
        code, _, stdout, stderr = cohort(output=output)
        assert (code, stdout) == (1, "")
        assert "is the folder of the cases" in stderr
    assert files_of(data) == before


@pytest.mark.parametrize(
    ("one", "other", "file"),
    [("ann", "Ann", "ann.nii.gz"), ("x", "x_ET", "x_ET.nii.gz"), ("é", "e\u0301", ".nii.gz")],
)
def test_cases_whose_results_would_share_a_file_are_refused(tmp_path, one, other, file):
    """Whether names that differ in case only are one file depends on the file system."""
    for name in (one, other):
        write_case(tmp_path / "data" / "sub" / name)
        for path in (tmp_path / "data" / "sub" / name).iterdir():
            path.rename(path.with_name(path.name.replace("case", name)))
    with pytest.raises(CaseError, match=r"would both be written to .*\.nii\.gz") as caught:
        cohort_cases(tmp_path / "data", tmp_path / "out")
    assert one in str(caught.value) and other in str(caught.value) and file in str(caught.value)


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


def test_parts_segment_every_case_once_and_a_folder_holds_one_part(cohort, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert cohort("--part", "2/2", output=second)[0] == 0
    code, rows, *_ = cohort("--part", "1/2", output=first)
    assert code == 0
    assert [row["case"] for row in rows] == ["ann", "cyd"]
    assert [row["case"] for row in rows_of(second / TABLE)] == ["bob"]
    assert not (first / "bob.nii.gz").exists()

    for words in (("--part", "2/2"), ()):
        code, _, _, err = cohort(*words, output=first)
        assert code != 0
        assert "holds part 1/2" in err
    code, rows, *_ = cohort("--part", "1/2", output=first)
    assert {row["outcome"] for row in rows} == {"kept"}


def test_a_folder_without_a_recorded_part_holds_the_whole_cohort(cohort, tmp_path):
    assert cohort()[0] == 0
    path = tmp_path / "out" / SETTINGS
    settings = json.loads(path.read_text())
    assert settings.pop("part") == "1/1"
    path.write_text(json.dumps(settings))
    code, rows, *_ = cohort()
    assert code == 0
    assert {row["outcome"] for row in rows} == {"kept"}
    code, _, _, err = cohort("--part", "1/2")
    assert code != 0
    assert "holds part 1/1" in err


def test_a_part_beyond_the_cases_is_done_and_writes_nothing(cohort, tmp_path):
    """An array of jobs would count it as failed otherwise."""
    code, _, stdout, err = cohort("--part", "4/4")
    assert (code, err) == (0, "")
    assert "part 4/4 holds no case" in stdout
    assert not (tmp_path / "out").exists()


def test_a_part_of_other_cases_is_not_continued(cohort, data, tmp_path):
    """The cases are dealt out anew, and some would be in two parts or in none."""
    assert cohort("--part", "1/2")[0] == 0
    write_case(data / "abe", name="abe")
    for words in ((), ("--overwrite",)):
        code, _, _, err = cohort("--part", "1/2", *words)
        assert code == 1
        assert "part 1/2 of other cases" in err
    assert not (tmp_path / "out" / "bob.nii.gz").exists()
    (data / "abe").rename(tmp_path / "abe")
    code, rows, *_ = cohort("--part", "1/2")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"kept"}


def test_a_mask_is_not_kept_for_images_that_took_the_place_of_its_own(cohort, data, tmp_path):
    cohort()
    for path in (data / "bob").iterdir():
        image = nib.load(path)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine), path)
    code, rows, *_ = cohort()
    assert code == 1
    assert [row["outcome"] for row in rows] == ["kept", "failed", "kept"]
    assert "images are not those" in rows[1]["note"] and "delete the mask" in rows[1]["note"]
    (tmp_path / "out" / "bob.nii.gz").unlink()
    assert cohort()[0] == 0


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


def test_what_is_known_of_a_mask_is_in_the_table_of_a_rerun_too(cohort, tmp_path):
    _, before, *_ = cohort()
    _, after, *_ = cohort()
    for first, later in zip(before, after, strict=True):
        assert first.pop("outcome") == "segmented" and later.pop("outcome") == "kept"
        assert first == later
    assert before[0]["participant_id"] == "sub-ann"
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
    move = atomic._move_into_place
    monkeypatch.setattr(
        atomic, "_move_into_place", lambda *a: (written.append(a[1].name), move(*a))
    )
    cohort()
    cohort("--overwrite")
    assert 0 < written.count(SETTINGS) <= 4
    assert written.count(TABLE) == 2


def test_overwriting_does_not_turn_a_folder_into_another_part(cohort, tmp_path):
    assert cohort("--part", "1/2")[0] == 0
    before = {path.name: version(path) for path in (tmp_path / "out").glob("*.nii.gz")}
    code, _, _, err = cohort("--part", "2/2", "--overwrite")
    assert code != 0
    assert "holds part 1/2" in err
    assert {path.name: version(path) for path in (tmp_path / "out").glob("*.nii.gz")} == before
    assert cohort("--part", "1/2", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    "words", [("--workers", 2), ("--timeout", 9), ("--scheduler", "tcp://x:1")]
)
def test_workers_need_an_extra_and_say_which(cohort, monkeypatch, words):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, rows, _, err = cohort(*words)
    assert (code, rows) == (1, [])
    assert 'pip install "napari-smalltumor[cohort]"' in err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [("--workers", 0), ("--workers", 1.5), ("--timeout", "nan")])
def test_a_number_of_workers_or_seconds_that_makes_no_sense_is_refused(cohort, words, capsys):
    with pytest.raises(SystemExit):
        cohort(*words)
    assert "is not a" in capsys.readouterr().err


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


def test_parquet_that_cannot_be_written_is_refused_before_the_work(cohort, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    code, _, stdout, err = cohort("--parquet")
    assert (code, stdout) == (1, "")
    assert 'pip install "napari-smalltumor[cohort]"' in err
