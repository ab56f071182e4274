"""A training folder that grows by corrected cases: whole, faithful, never over another case."""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import smalltumor.training.data.dataset_folder
from napari_cases import ORIENTATIONS, case_along, write_case_along
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_key
from smalltumor.data.made_by import MadeBy
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError, OutputError
from smalltumor.training.data.collected_case import (
    CaseFolder,
    case_folder,
    case_folder_name,
    folder_names,
)
from smalltumor.training.data.dataset_check import check_row, check_training_cases
from smalltumor.training.data.dataset_folder import (
    NO_CASE_YET,
    NOTE,
    DatasetLister,
    add_case,
)
from smalltumor.training.splits.split import Split
from training_cases import write_lesion_cases

MADE_BY = MadeBy.network("starter", "0123", "1")


def masks_of(case: Case, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, case.grid.shape).astype(np.uint8)


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


@pytest.mark.parametrize("axcodes", ["LPS", "RAS", ORIENTATIONS[17]])
def test_a_case_reads_back_with_its_images_masks_and_place(tmp_path, axcodes):
    case = read_case(write_case_along(tmp_path / "Pat", axcodes, labels=False))
    classes = masks_of(case)
    folder = add_case(tmp_path / "data", case, classes)
    again = read_case(folder)
    stored, scheme = read_labels(again)
    assert folder == tmp_path / "data" / "Pat"
    assert scheme.name == "brats2018"
    np.testing.assert_array_equal(stored, classes)
    for modality, volume in case.volumes.items():
        np.testing.assert_array_equal(again.volumes[modality], volume)
    mask = nib.load(folder / "Pat_seg.nii.gz")
    np.testing.assert_array_equal(mask.affine, nib.load(case.paths["t1ce"]).affine)


def test_images_are_copied_byte_for_byte_or_linked_and_sources_stay(tmp_path):
    source = write_case_along(tmp_path / "Pat", labels=True)
    before = content(source)
    case = read_case(source)
    copied = add_case(tmp_path / "copies", case, masks_of(case))
    linked = add_case(tmp_path / "links", case, masks_of(case), link=True)
    assert content(source) == before
    for modality, path in case.paths.items():
        copy, link = (folder / f"Pat_{modality}.nii.gz" for folder in (copied, linked))
        assert copy.read_bytes() == path.read_bytes() and not copy.is_symlink()
        assert link.resolve() == path.resolve()


def test_a_case_without_files_of_its_own_is_written(tmp_path):
    case = case_along("LAS", name="From/elsewhere 1")
    wide = {m: v.astype(np.int64) for m, v in case.volumes.items()}
    case = Case(case.name, wide, case.grid, case.header)
    folder = add_case(tmp_path, case, masks_of(case))
    assert folder.name == "From_elsewhere_1"
    for modality, volume in read_case(folder).volumes.items():
        np.testing.assert_array_equal(volume, case.volumes[modality])


def test_a_changed_volume_is_not_taken_from_its_old_file(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    brighter = {**case.volumes, "t2": np.asarray(case.volumes["t2"]) + 1}
    case = Case(case.name, brighter, case.grid, case.header, case.paths)
    folder = add_case(tmp_path / "data", case, masks_of(case), link=True)
    np.testing.assert_array_equal(read_case(folder).volumes["t2"], brighter["t2"])


def test_masks_added_before_are_replaced_only_if_asked(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    first, second = masks_of(case, 1), masks_of(case, 2)
    folder = add_case(tmp_path / "data", case, first)
    assert case_folder(tmp_path / "data", case) == CaseFolder(folder, exists=True)
    with pytest.raises(OutputError, match="added before"):
        add_case(tmp_path / "data", case, second)
    np.testing.assert_array_equal(read_labels(read_case(folder))[0], first)
    add_case(tmp_path / "data", case, second, replace=True)
    np.testing.assert_array_equal(read_labels(read_case(folder))[0], second)


def test_a_case_opened_from_the_training_folder_can_be_corrected_there(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    opened = read_case(add_case(tmp_path / "data", case, masks_of(case, 1)))
    add_case(tmp_path / "data", opened, masks_of(case, 2), replace=True)
    np.testing.assert_array_equal(read_labels(opened)[0], masks_of(case, 2))


def test_another_case_of_the_same_name_is_never_touched(tmp_path):
    write_case_along(tmp_path / "data" / "Pat")
    before = content(tmp_path / "data" / "Pat")
    other = case_along("LPS")
    other = Case("Pat", {m: v + 7 for m, v in other.volumes.items()}, other.grid)
    with pytest.raises(OutputError, match="other images"):
        add_case(tmp_path / "data", other, masks_of(other), replace=True)
    assert content(tmp_path / "data" / "Pat") == before


def brighter(case: Case, by: int = 7) -> Case:
    """Another visit: a case of the same name with other images."""
    volumes = {m: np.asarray(v) + by for m, v in case.volumes.items()}
    return Case(case.name, volumes, case.grid)


def test_another_visit_of_the_same_name_gets_a_folder_of_its_own(tmp_path):
    folder = tmp_path / "data"
    first = case_along("LPS")
    first = Case("P7", first.volumes, first.grid)
    second, third = brighter(first), brighter(first, 9)
    add_case(folder, first, masks_of(first))
    for case, name in ((second, "P7_visit2"), (third, "P7_visit3")):
        found = case_folder(folder, case)
        assert found == CaseFolder(folder / name)
        add_case(folder, case, masks_of(case), name=name)
        assert case_folder(folder, case) == CaseFolder(folder / name, exists=True)
    assert case_folder(folder, first) == CaseFolder(folder / "P7", exists=True)
    written = read_case(folder / "P7_visit2")
    assert written.name == "P7_visit2" and written.labels_path is not None
    np.testing.assert_array_equal(written.volumes["t1"], second.volumes["t1"])


def test_masks_of_another_visit_are_replaced_in_its_own_folder(tmp_path):
    folder = tmp_path / "data"
    first = case_along("LPS")
    second = brighter(first)
    add_case(folder, first, masks_of(first, 1))
    name = case_folder(folder, second).path.name
    add_case(folder, second, masks_of(second, 1), name=name)
    before = content(folder / first.name)
    add_case(folder, second, masks_of(second, 2), name=name, replace=True)
    assert content(folder / first.name) == before
    classes, _ = read_labels(read_case(folder / name))
    np.testing.assert_array_equal(classes, masks_of(second, 2))


@pytest.mark.parametrize(
    ("above", "name", "second"),
    [
        ("visit2", "P7", "P7_visit2"),
        ("week-044/mr", "P7", "P7_week-044"),
        ("study", "P7", "P7_visit2"),
        ("nifti", "P7", "P7_visit2"),
        ("P8_visit3", "P7", "P7_visit2"),
        ("visit2", "P7_visit2", "P7_visit3"),
        ("study", "UPENN-GBM-00003_11", "UPENN-GBM-00003_visit2"),
        ("study", "BraTS-GLI-00005-000", "BraTS-GLI-00005_visit2"),
        ("study", "sub-01_ses-02", "sub-01_visit2"),
        ("study", "GBM_baseline_001", "GBM_baseline_001_visit2"),
    ],
)
def test_visits_are_named_so_that_a_split_keeps_them_together(tmp_path, above, name, second):
    paths = {"t1": tmp_path / above / name / f"{name}_t1.nii.gz"}
    case = Case(name, {}, case_along("LPS").grid, paths=paths)
    names = list(islice(folder_names(case), 4))
    assert names[:2] == [name, second] and len(set(names)) == 4
    assert len({patient_key(each) for each in names}) == 1
    others = [f"other{number}" for number in range(20)]
    for every in range(1, 5):
        split = Split.with_validation(sorted([*names[1:], *others, name]), ["other0"], every + 1)
        on_sides = [len(set(names) & set(side)) for side in (split.training, split.validation)]
        assert sorted(on_sides) == [0, 4]
    assert not set(names) & {*Split.with_validation([*names[1:], *others], [name]).training}


def test_an_experts_masks_are_never_replaced(tmp_path):
    source = write_case_along(tmp_path / "data" / "Pat")
    before = content(source)
    case = read_case(source)
    with pytest.raises(OutputError, match="was not added by this program"):
        add_case(tmp_path / "data", case, masks_of(case), replace=True)
    assert content(source) == before


def test_a_case_that_cannot_be_written_whole_is_not_there_at_all(tmp_path, monkeypatch):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(smalltumor.training.data.dataset_folder.shutil, "copyfile", full)
    with pytest.raises(OutputError, match="No space left"):
        add_case(tmp_path / "data", case, masks_of(case))
    assert list((tmp_path / "data").iterdir()) == []
    with pytest.raises(CaseError, match="masks of"):
        add_case(tmp_path / "data", case, np.zeros((2, 2, 2), np.uint8))


def test_a_collection_is_what_the_check_says_and_reads_only_what_changed(tmp_path, monkeypatch):
    folder = write_lesion_cases(tmp_path / "data", 3)
    (folder / "case_01" / "case_01_seg.nii.gz").unlink()
    lister = DatasetLister()
    first = lister.list_cases(folder)
    assert list(map(check_row, first.cases)) == list(map(check_row, check_training_cases(folder)))
    assert "no segmentation" in first.cases[1].problem
    read: list[str] = []
    whole = smalltumor.training.data.dataset_folder.check_case
    monkeypatch.setattr(
        smalltumor.training.data.dataset_folder,
        "check_case",
        lambda files: read.append(files.name) or whole(files),
    )
    shutil.copytree(folder / "case_00", folder / "case_03")
    for path in (folder / "case_03").iterdir():
        path.rename(path.with_name(path.name.replace("case_00", "case_03")))
    assert [case.name for case in lister.list_cases(folder).cases][-1] == "case_03"
    assert read == ["case_03"]


def test_a_folder_without_cases_says_what_a_case_looks_like_unless_it_is_empty(tmp_path):
    assert DatasetLister().list_cases(tmp_path).problem == NO_CASE_YET
    (tmp_path / "notes.txt").write_text("no case")
    assert "_t1ce.nii.gz" in DatasetLister().list_cases(tmp_path).problem


def test_a_folder_with_too_many_subfolders_is_not_searched_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(smalltumor.training.data.dataset_folder, "MAX_FOLDERS", 5)
    for number in range(9):
        (tmp_path / str(number)).mkdir()
    listing = DatasetLister().list_cases(tmp_path)
    assert "has more than 5 subfolders; choose the folder" in listing.problem


def test_listing_tells_its_progress_and_stops_when_asked(tmp_path):
    folder, texts = write_lesion_cases(tmp_path / "data", 2), []
    listing = DatasetLister().list_cases(
        folder, progress=texts.append, cancelled=lambda: len(texts) == 1
    )
    assert texts == ["1 of 2: case_00"]
    assert [case.name for case in listing.cases] == ["case_00"]
    assert listing.problem == "stopped: 1 of 2 cases were read"
    stopped = DatasetLister().list_cases(folder, cancelled=lambda: True)
    assert (stopped.cases, stopped.problem) == ([], "stopped before a case was read")


def test_the_note_names_no_patient(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    folder = add_case(tmp_path / "data", case, masks_of(case))
    assert set(json.loads((folder / NOTE).read_text())) == {"added", "by"}


def test_a_folder_that_appears_meanwhile_is_left_as_it_is(tmp_path, monkeypatch):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    target = tmp_path / "data" / "Pat"

    def meanwhile(*arguments):
        target.mkdir()
        (target / "notes.txt").write_text("mine")

    monkeypatch.setattr(smalltumor.training.data.dataset_folder, "_check_written", meanwhile)
    with pytest.raises(OutputError, match="appeared meanwhile"):
        add_case(tmp_path / "data", case, masks_of(case))
    assert content(target) == {"notes.txt": b"mine"}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["Pat"]


def test_what_is_no_case_is_not_replaced_and_no_folder_grows_in_a_file(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    (tmp_path / "data" / "Pat").mkdir(parents=True)
    (tmp_path / "data" / "Pat" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="cannot be replaced"):
        add_case(tmp_path / "data", case, masks_of(case), replace=True)
    assert content(tmp_path / "data" / "Pat") == {"notes.txt": b"mine"}
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/data cannot be created"):
        add_case(tmp_path / "file" / "data", case, masks_of(case))


def test_a_source_that_is_gone_is_written_from_memory(tmp_path):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    volumes = {**case.volumes, "t2": np.asarray(case.volumes["t2"]).astype(np.float16)}
    case = Case(case.name, volumes, case.grid, case.header, case.paths)
    case.paths["t1"].write_bytes(b"damaged since")
    folder = add_case(tmp_path / "data", case, masks_of(case))
    for modality, volume in read_case(folder).volumes.items():
        np.testing.assert_array_equal(volume, volumes[modality])


def test_a_case_that_reads_back_otherwise_is_not_added(tmp_path, monkeypatch):
    case = read_case(write_case_along(tmp_path / "Pat", labels=False))
    nothing = np.zeros(case.grid.shape, np.uint8)
    monkeypatch.setattr(
        smalltumor.training.data.dataset_folder, "read_labels", lambda *arguments: (nothing, None)
    )
    with pytest.raises(CaseError, match="does not read back"):
        add_case(tmp_path / "data", case, masks_of(case))
    assert list((tmp_path / "data").iterdir()) == []


def test_links_to_nowhere_and_volumes_in_one_file_are_checked_too(tmp_path):
    folder = write_lesion_cases(tmp_path / "data", 1)
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    images = [
        nib.load(folder / "case_00" / f"case_00_{m}.nii.gz") for m in ("flair", "t1", "t1ce", "t2")
    ]
    nib.save(nib.concat_images(images), folder / "imagesTr" / "BRATS_001.nii.gz")
    mask = nib.load(folder / "case_00" / "case_00_seg.nii.gz")
    stored = np.array([0, 2, 1, 0, 3], np.uint8)[np.asarray(mask.dataobj)]
    nib.save(nib.Nifti1Image(stored, mask.affine), folder / "labelsTr" / "BRATS_001.nii.gz")
    lister = DatasetLister()
    assert sorted(case.name for case in lister.list_cases(folder).cases) == ["BRATS_001", "case_00"]
    source = folder / "case_00" / "case_00_t1.nii.gz"
    source.unlink()
    source.symlink_to(tmp_path / "nowhere")
    problems = {case.name: case.problem for case in lister.list_cases(folder).cases}
    assert problems["BRATS_001"] is None or problems["BRATS_001"] == ""
    assert "case_00_t1.nii.gz" in problems["case_00"] or "no T1 image" in problems["case_00"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("a/b\\c", "a_b_c"),
        ("..", "case_"),
        ("", "case_"),
        ("CON", "_CON"),
        ("Labels1", "case_Labels1"),
    ],
)
def test_a_case_of_any_name_gets_a_valid_folder_name(name, folder):
    assert case_folder_name(Case(name, {}, case_along("LPS").grid)) == folder


@pytest.mark.parametrize("made_by", [None, MADE_BY, MADE_BY.edited, MadeBy("MANUAL")])
def test_a_mask_that_a_network_made_is_told_when_the_folder_is_checked(tmp_path, made_by):
    case = case_along("RAS")
    add_case(tmp_path, case, masks_of(case), made_by=made_by)
    (checked,) = check_training_cases(tmp_path)
    told = [text for text in checked.warnings if "a network made and nobody corrected" in text]
    assert checked.made_by == made_by
    assert len(told) == (made_by == MADE_BY)
    read = read_case(tmp_path / case.name)
    read_labels(read)  # tells nothing of training
    assert not set(told) & set(read.warnings)
