"""The files of a prepared case are written together, and never mixed with others."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from full_disks import files_limited_to
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.data.read_case import read_case
from smalltumor.errors import Cancelled, OutputError
from smalltumor.scanner.prepared import prepared_files
from smalltumor.scanner.prepared.lock import locked_preparation
from smalltumor.scanner.prepared.output_checks import check_prepared
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def case(tmp_path):
    return prepared_by_hand(write_raw_scan(tmp_path / "scan"))


@pytest.fixture
def folder(case, tmp_path):
    """The folder of the written case."""
    write_prepared(case, tmp_path / "prepared" / "Pat")
    return tmp_path / "prepared" / "Pat"


def without(case, modality):
    kept = {m: s for m, s in case.sequences.items() if m != modality}
    return replace(case, sequences=kept)


def test_a_folder_is_claimed_by_one_preparation_and_leaves_no_trace(case, tmp_path):
    folder = tmp_path / "prepared" / "Pat"
    with locked_preparation(folder):
        with (
            pytest.raises(OutputError, match=r"another preparation or correction .*Pat"),
            locked_preparation(folder),
        ):
            pass
        assert folder.is_dir()
    assert not folder.parent.exists()
    with locked_preparation(folder):
        written = write_prepared(case, folder)
    assert sorted(folder.iterdir()) == sorted(written)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_sequence_of_an_earlier_preparation_does_not_remain(case, folder):
    write_prepared(without(case, "flair"), folder, overwrite=True)
    assert set(read_case(folder, allow_missing=True).volumes) == {"t1", "t1ce", "t2"}


def test_a_transform_of_an_earlier_preparation_does_not_remain(case, folder):
    assert list(folder.glob("*.tfm"))
    unmoved = {m: replace(s, registration=None) for m, s in case.sequences.items()}
    write_prepared(replace(case, sequences=unmoved), folder, overwrite=True)
    assert not list(folder.glob("*.tfm"))


def test_a_foreign_image_is_neither_removed_nor_taken_for_one_of_the_case(case, tmp_path):
    foreign = tmp_path / "Pat_flair.nii.gz"
    foreign.write_bytes(b"foreign")
    three = without(case, "flair")
    with pytest.raises(OutputError, match=r"Pat_flair\.nii\.gz"):
        check_prepared(tmp_path, "Pat", three.sequences, [], overwrite=True)
    with pytest.raises(OutputError, match=r"Pat_flair\.nii\.gz"):
        write_prepared(three, tmp_path, overwrite=True)
    assert foreign.read_bytes() == b"foreign"


def test_a_transform_of_the_user_is_not_replaced(case, tmp_path):
    own = tmp_path / "Pat_t2_to_t1ce.tfm"
    own.write_text("own")
    with pytest.raises(OutputError, match="exists"):
        check_prepared(tmp_path, "Pat", case.sequences, [])
    with pytest.raises(OutputError, match="exists"):
        write_prepared(case, tmp_path)
    assert own.read_text() == "own"


@pytest.mark.parametrize("failing", ["write_volume", "write_text"])
def test_a_full_disk_leaves_the_earlier_preparation_whole(case, folder, monkeypatch, failing):
    before = contents(folder)
    write, calls = getattr(prepared_files, failing), []

    def full(path, *arguments, **options):
        calls.append(path)
        if len(calls) == 5 or failing == "write_text":
            raise OutputError(f"{path} could not be written: No space left on device")
        write(path, *arguments, **options)

    monkeypatch.setattr(prepared_files, failing, full)
    moved = {m: replace(s, image=s.image + 1) for m, s in case.sequences.items()}
    other = replace(case, sequences=moved)
    with pytest.raises(OutputError, match=r"/Pat_\w+\.\S+ could not be written: No space"):
        write_prepared(other, folder, overwrite=True)
    assert contents(folder) == before


def test_an_error_while_files_are_moved_leaves_the_earlier_preparation(case, folder, monkeypatch):
    before = contents(folder)
    replace_file, calls = prepared_files.Path.replace, []

    def failing(path, target):
        is_last = target.name == "Pat_prepared.json" and path.name.startswith(".")
        if is_last and not calls:
            calls.append(target)
            raise PermissionError(13, "Permission denied", str(target))
        return replace_file(path, target)

    monkeypatch.setattr(prepared_files.Path, "replace", failing)
    with pytest.raises(OutputError, match=r"Pat_prepared\.json could not be replaced"):
        write_prepared(replace(case, brain=~case.brain), folder, overwrite=True)
    assert calls and contents(folder) == before


def test_cancelling_while_files_are_written_leaves_no_file_and_no_folder(case, tmp_path):
    asked = []

    def late():
        asked.append(True)
        return len(asked) == 4

    with pytest.raises(Cancelled):
        write_prepared(case, tmp_path / "prepared" / "Pat", cancelled=late)
    assert not (tmp_path / "prepared").exists()


def test_files_that_were_renamed_are_corrected_under_their_new_name(case, folder):
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.replace("Pat_", "New_"))
    renamed = stored_case(read_case(folder))
    written = write_prepared(replace(renamed, brain=~case.brain), folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == {path.name for path in written}
    assert json.loads((folder / "New_prepared.json").read_text())["name"] == "New"
    np.testing.assert_array_equal(stored_case(read_case(folder)).brain, ~case.brain)


@pytest.mark.parametrize("size", [0, 100])
def test_a_transform_that_does_not_fit_on_the_disk_is_an_error(tmp_path, size):
    """SimpleITK itself tells of none."""
    matrix = np.eye(4)
    matrix[:3, 3] = (1.25, -2 / 3, 10.0)
    path = tmp_path / "t2.tfm"
    with files_limited_to(size), pytest.raises(OutputError, match="could not be written"):
        prepared_files._write_transform(matrix, path)
    prepared_files._write_transform(matrix, path)
    assert path.stat().st_size > size
