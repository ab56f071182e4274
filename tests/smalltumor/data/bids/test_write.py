"""BIDS derivatives: the validator of BIDS, and the meaning of the values."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.bids import write as bids
from smalltumor.data.bids.checks import check_no_mask_of_others
from smalltumor.data.bids.names import bids_paths, check_subjects, masks_of_subject, session_of
from smalltumor.data.bids.write import write_bids
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.errors import CaseError, OutputError
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import grid_along, write_case

GRID = grid_along("LPS", (8, 9, 10))
CLASSES = (np.arange(720).reshape(8, 9, 10) % 4).astype(np.uint8)
RUN = InferenceRun(1.0, "cpu", "torch", "fifty patients")


def segmentation(name: str, run: InferenceRun | None = RUN) -> Segmentation:
    return Segmentation(name, CLASSES, GRID, run=run)


@pytest.mark.parametrize(
    ("case", "path"),
    [
        ("sub-01_ses-2", "sub-01/ses-2/anat/sub-01_ses-2"),
        ("sub-01", "sub-01/anat/sub-01"),
        ("sub-01_visit2", "sub-01/ses-visit2/anat/sub-01_ses-visit2"),
        ("SUB-01_SES-02", "sub-01/ses-02/anat/sub-01_ses-02"),
        ("2_visit2", "sub-2/ses-visit2/anat/sub-2_ses-visit2"),
        ("BraTS2021_00019", "sub-BraTS202100019/anat/sub-BraTS202100019"),
        (
            "BraTS-GLI-00005-100",
            "sub-BraTSGLI00005/ses-100/anat/sub-BraTSGLI00005_ses-100",
        ),
        (
            "Patient-001_week-044",
            "sub-Patient001/ses-week044/anat/sub-Patient001_ses-week044",
        ),
        ("Müller 7", "sub-Mller7/anat/sub-Mller7"),
        ("visit1_P7", "sub-P7/ses-visit1/anat/sub-P7_ses-visit1"),  # as a cohort names visit1/P7
        ("P1_pre_nifti", "sub-P1/ses-prenifti/anat/sub-P1_ses-prenifti"),
    ],
)
def test_subject_and_session_come_from_the_name_of_the_case(case, path):
    image, *_ = bids_paths(case, Path("out"))
    assert image == Path("out") / f"{path}_seg-tumor_dseg.nii.gz"


@pytest.mark.parametrize("case", ["P7", "P7_week1", "sub-P7", "sub-P7_ses-9"])
@pytest.mark.parametrize("session", ["visit2", "ses-visit2", "visit-2"])
def test_a_session_that_is_given_goes_before_that_of_the_name(case, session):
    image = bids_paths(case, Path("out"), session)[0]
    assert image == Path("out/sub-P7/ses-visit2/anat/sub-P7_ses-visit2_seg-tumor_dseg.nii.gz")
    assert session_of(image) == "visit2"


def test_a_name_without_letters_or_digits_is_refused():
    with pytest.raises(CaseError, match="BIDS subject"):
        bids_paths("---", Path("out"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_table_gives_the_meaning_of_the_values(tmp_path, scheme):
    image, sidecar, table = write_bids(segmentation("p1"), tmp_path, scheme=scheme)
    rows = {r["abbreviation"]: r for r in csv.DictReader(table.open(), delimiter="\t")}
    assert list(rows) == ["BG", "NCR", "ED", "ET"]
    stored = np.asarray(nib.load(image).dataobj)
    for tissue, abbreviation in enumerate(rows):
        np.testing.assert_array_equal(stored == int(rows[abbreviation]["index"]), tissue == CLASSES)
    content = json.loads(sidecar.read_text())
    assert (content["Manual"], content["Weights"]) == (False, "fifty patients")


def test_the_table_has_no_class_that_the_mask_does_not_tell(tmp_path):
    whole = segmentation("p1")
    et = np.where(CLASSES == TissueClass.ET, CLASSES, 0).astype(np.uint8)
    known = (TissueClass.BACKGROUND, TissueClass.ET)
    _, _, table = write_bids(replace(whole, classes=et, known=known, stored=known), tmp_path)
    rows = list(csv.DictReader(table.open(), delimiter="\t"))
    assert [row["abbreviation"] for row in rows] == ["BG", "ET"]


def test_a_segmentation_of_unknown_origin_is_not_called_automatic(tmp_path):
    _, sidecar, _ = write_bids(segmentation("p1", run=None), tmp_path)
    assert "Manual" not in json.loads(sidecar.read_text())


def test_a_dataset_of_images_is_not_written_to(tmp_path):
    description = {"Name": "scans", "BIDSVersion": "1.10.0"}
    (tmp_path / "dataset_description.json").write_text(json.dumps(description))
    with pytest.raises(OutputError, match=r"name a folder .*derivatives.smalltumor"):
        write_bids(segmentation("p1"), tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"dataset_description.json"}


def test_a_folder_of_other_files_does_not_become_a_dataset(tmp_path):
    folder = write_case(tmp_path / "P1", name="P1")
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=r"no BIDS dataset and holds other files, such as P1_"):
        write_bids(segmentation("P1"), folder)
    assert sorted(folder.iterdir()) == before


def test_a_dataset_that_is_being_written_is_continued(tmp_path):
    (tmp_path / "sub-p1" / "anat").mkdir(parents=True)
    (tmp_path / ".DS_Store").touch()
    write_bids(segmentation("p2"), tmp_path)
    assert {path.name for path in tmp_path.glob("sub-*")} == {"sub-p1", "sub-p2"}
    assert (tmp_path / "dataset_description.json").is_file()


def test_an_existing_segmentation_is_replaced_only_on_request(tmp_path):
    write_bids(segmentation("p1"), tmp_path)
    with pytest.raises(OutputError, match="exists"):
        write_bids(segmentation("p1"), tmp_path)
    write_bids(segmentation("p1"), tmp_path, overwrite=True)


def test_a_mask_that_cannot_be_replaced_keeps_its_description(tmp_path, monkeypatch):
    write_bids(segmentation("p1"), tmp_path)
    before = {path: path.read_bytes() for path in bids_paths("p1", tmp_path)}

    def fail(*arguments, **options):
        raise OutputError("No space left on device")

    monkeypatch.setattr(bids, "write_segmentation", fail)
    with pytest.raises(OutputError, match="No space"):
        write_bids(segmentation("p1", replace(RUN, weights="other")), tmp_path, overwrite=True)
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(next(iter(before)).parent.iterdir())) == 3


def test_the_segmentation_of_another_patient_of_the_label_is_not_replaced(tmp_path):
    def made_of(block: str) -> Segmentation:
        return replace(segmentation("P-1"), made_of={"t1ce": block})

    dataset = tmp_path / "derivatives"
    image = write_bids(made_of("a"), dataset)[0]
    before = image.read_bytes()
    with pytest.raises(CaseError, match="is a mask of other images than those of P-1"):
        write_bids(made_of("b"), dataset, overwrite=True)
    assert image.read_bytes() == before
    write_bids(made_of("a"), dataset, overwrite=True)
    check_no_mask_of_others(
        made_of("b"), dataset, outdated={"t1ce": "a"}
    )  # the case has new images
    for outdated in ({}, {"t1ce": "c"}):
        with pytest.raises(CaseError, match="is a mask of other images"):
            check_no_mask_of_others(made_of("b"), dataset, outdated=outdated)
    write_bids(made_of("b"), dataset, overwrite=True, other_images=True)
    assert image.read_bytes() != before


def test_a_subject_is_not_given_to_another_patient_in_another_session_either(tmp_path):
    write_bids(segmentation("PAT_1_12"), tmp_path / "new")
    with pytest.raises(CaseError, match=r"sub-PAT112 in .* is the patient PAT_1_12, and PAT_11_2"):
        write_bids(segmentation("PAT_11_2"), tmp_path / "new", session="2", overwrite=True)
    write_bids(segmentation("PAT_1_12"), tmp_path / "new", session="2")
    assert len(masks_of_subject("PAT_1_12", tmp_path / "new")) == 2
    with pytest.raises(CaseError, match=r"of PAT_1_12 and PAT_11_2 would both be sub-PAT112"):
        check_subjects(["PAT_1_12", "PAT_11_2"])
    check_subjects(["P7_visit1", "P7_visit2", "sub-P7_ses-3"])


def test_two_visits_are_sessions_of_one_subject(tmp_path, smalltumor, narrow_weights):
    commands = []
    for number in (1, 2):
        write_case(tmp_path / f"visit{number}" / "P7", name="P7", seed=number)
        where = f"{tmp_path}/visit{number}/P7 -o {tmp_path}/{number}.nii.gz"
        commands.append(f"segment {where} --weights {narrow_weights} --bids {tmp_path}/out".split())
    assert smalltumor(*commands[0])[0] == 0
    code, _, err = smalltumor(*commands[1])
    assert code != 0 and "exists, perhaps of another visit than visit2" in err
    assert "name the visit with --session visit2, or pass --overwrite" in err
    code, _, err = smalltumor(*commands[1], "--overwrite")
    assert code != 0 and "another visit" in err and "name the visit with --session visit2" in err
    assert smalltumor(*commands[1], "--overwrite", "--session", "visit-2")[0] == 0
    masks = masks_of_subject("P7", tmp_path / "out")
    assert [session_of(mask) for mask in masks] == ["", "visit2"]


def test_results_beside_the_images_are_no_cases(tmp_path):
    write_case(tmp_path / "sub-01" / "anat", name="sub-01")
    write_bids(segmentation("sub-01"), tmp_path / "derivatives" / "smalltumor")
    assert [case.name for case in find_cases(tmp_path)] == ["sub-01"]


def test_the_command_writes_a_dataset(tmp_path, smalltumor, narrow_weights):
    folder = write_case(tmp_path / "case", name="p7_visit2")
    words = ("segment", folder, "-o", tmp_path / "mask.nii.gz", "--weights", narrow_weights)
    options = ("--backend", "torch", "--bids", tmp_path / "bids", "--authors", "A. Meier", "B. Hu")
    code, out, _ = smalltumor(*words, *options)
    image, *_ = bids_paths("p7_visit2", tmp_path / "bids")
    assert (code, image.is_file()) == (0, True)
    assert str(image) in out
    description = json.loads((tmp_path / "bids" / "dataset_description.json").read_text())
    assert description["Authors"] == ["A. Meier", "B. Hu"]
    (tmp_path / "mask.nii.gz").unlink()
    code, _, err = smalltumor(*words, "--backend", "torch", "--bids", tmp_path / "bids")
    assert code == 1
    assert "exists" in err
    assert not (tmp_path / "mask.nii.gz").exists()


def of_dataset(dataset, content: str) -> Segmentation:
    """A segmentation of an image in a BIDS dataset with this description."""
    image = dataset / "sub-01" / "ses-2" / "anat" / "sub-01_ses-2_T1w.nii.gz"
    image.parent.mkdir(parents=True)
    image.touch()
    (dataset / "dataset_description.json").write_text(content)
    return replace(segmentation("sub-01_ses-2"), sources=(image,))


def test_authors_and_doi_are_those_of_the_dataset_of_the_images(tmp_path):
    source = {"Name": "a", "Authors": ["A. Meier", "B. Huber"], "DatasetDOI": "10.1/2"}
    write_bids(of_dataset(tmp_path / "raw", json.dumps(source)), tmp_path / "out")
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["Authors"] == ["A. Meier", "B. Huber"]
    assert description["SourceDatasets"] == [{"DOI": "10.1/2"}]


@pytest.mark.parametrize("content", ["{", "[]", '{"Authors": "A. Meier"}', "{}"])
def test_a_description_of_the_images_that_tells_nothing_is_no_error(tmp_path, content):
    write_bids(of_dataset(tmp_path / "raw", content), tmp_path / "out")
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert "Authors" not in description and "SourceDatasets" not in description


def test_authors_that_are_given_go_before_those_of_the_images(tmp_path):
    source = of_dataset(tmp_path / "raw", json.dumps({"Authors": ["A. Meier"]}))
    write_bids(source, tmp_path / "out", authors=["C. Rossi", "D. Silva"])
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["Authors"] == ["C. Rossi", "D. Silva"]


@pytest.mark.parametrize(
    ("known", "named"), [(["A. Meier"], "A. Meier"), (None, "no authors"), ("", "no authors")]
)
def test_authors_of_an_existing_dataset_are_not_changed(tmp_path, known, named):
    write_bids(segmentation("p1"), tmp_path)
    path = tmp_path / "dataset_description.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content if known is None else {**content, "Authors": known}))
    before = path.read_text()
    with pytest.raises(OutputError, match=f"names {named}; authors are written to a new dataset"):
        write_bids(segmentation("p2"), tmp_path, authors=["C. Rossi"])
    write_bids(segmentation("p3"), tmp_path)
    assert path.read_text() == before
    assert not (tmp_path / "sub-p2").exists() and (tmp_path / "sub-p3").exists()


def test_the_same_authors_are_no_change(tmp_path):
    for case in ("p1", "p2"):
        write_bids(segmentation(case), tmp_path, authors=["A. Meier", "B. Huber"])
        description = json.loads((tmp_path / "dataset_description.json").read_text())
        assert description["Authors"] == ["A. Meier", "B. Huber"]
    assert (tmp_path / "sub-p2").exists()


def test_a_dataset_that_another_process_describes_meanwhile_is_no_error(tmp_path, monkeypatch):
    write_bids(segmentation("p1"), tmp_path)
    monkeypatch.setattr("smalltumor.data.bids.dataset.is_described", _first_not_seen(tmp_path))
    write_bids(segmentation("p2"), tmp_path)
    assert (tmp_path / "sub-p2").exists()


def _first_not_seen(dataset: Path):
    answers = iter((False, False))
    return lambda folder: next(answers, folder == dataset)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--authors", "A. Meier"), "name its folder with --bids"),
        (("--bids", "out", "--authors", " "), "' ' is not the name of an author"),
    ],
)
def test_authors_of_nothing_are_refused_in_a_sentence(tmp_path, smalltumor, words, sentence):
    for command in ("segment", "cohort"):
        code, _, err = smalltumor(command, tmp_path, "-o", tmp_path / "mask.nii.gz", *words)
        assert code != 0 and sentence in err


@pytest.mark.skipif(
    shutil.which("bids-validator-deno") is None,
    reason="bids-validator-deno is not installed (96 MB)",
)
@pytest.mark.parametrize("authors", ["given", "of the images", "unknown"])
def test_the_validator_of_bids_finds_nothing_but_unknown_authors(tmp_path, authors):
    names = ["A. Meier", "B. Huber"]
    if authors == "of the images":
        source = of_dataset(tmp_path / "raw", json.dumps({"Authors": names}))
        write_bids(replace(source, name="sub-02"), tmp_path / "out")
    given = names if authors == "given" else []
    for case in ("sub-01_ses-2", "BraTS2021_00019", "BraTS-GLI-00005-100"):
        write_bids(segmentation(case), tmp_path / "out", authors=given)
    command = ["bids-validator-deno", "--format", "json", str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    issues = json.loads(result.stdout)["issues"]["issues"]
    expected = {"TOO_FEW_AUTHORS"} if authors == "unknown" else set()
    assert {issue["code"] for issue in issues} == expected
