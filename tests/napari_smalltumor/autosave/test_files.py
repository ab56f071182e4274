"""Autosave files: round trip, damaged files and folder locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from napari_cases import case_along, write_case_along
from smalltumor.data.case import read_case
from smalltumor.errors import GridMismatchError, OutputError, TensorFileError
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.files import (
    AutosaveFolder,
    SavedMask,
    case_digest,
    read_masks,
    write_masks,
)


@pytest.fixture
def masks():
    values = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) % 5
    return [
        SavedMask("Pat ET", values, (1, 2, 3), Region.ET),
        SavedMask("labels of ünïcode 'quotes'", values, (0, 0, 0), scheme="msd"),
        SavedMask("empty", np.zeros((0, 0, 0), np.uint8), (0, 0, 0)),
    ]


def test_written_masks_are_read_back_unchanged(tmp_path, masks):
    path = tmp_path / "new" / "x.safetensors"
    write_masks(path, case_along(), masks)
    for written, read in zip(masks, read_masks(path), strict=True):
        assert np.array_equal(written.on_grid((9, 10, 11)), read.on_grid((9, 10, 11)))
        assert (written.name, written.start) == (read.name, read.start)
        assert (written.region, written.scheme) == (read.region, read.scheme)


def test_a_mask_that_exceeds_the_grid_is_an_error(masks):
    with pytest.raises(GridMismatchError, match="does not fit"):
        masks[0].on_grid((2, 2, 2))


def test_edits_are_found_again_when_a_missing_image_has_been_added(tmp_path):
    case = case_along()
    case.paths = {m: tmp_path / f"Pat_{m}.nii.gz" for m in case.volumes}
    without = {m: path for m, path in case.paths.items() if m != "flair"}
    assert case_digest(case) == case_digest(replace(case, paths=without))
    other = {**case.paths, "t1ce": tmp_path / "again" / "Pat_t1ce.nii.gz"}
    assert case_digest(case) != case_digest(replace(case, paths=other))


@given(data=st.data())
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_yields_masks_or_an_error_that_is_caught(tmp_path, masks, data):
    path = tmp_path / "x.safetensors"
    write_masks(path, case_along(), masks)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        for mask in read_masks(path):
            mask.on_grid((9, 10, 11))
    except (TensorFileError, GridMismatchError):
        pass


def test_the_error_names_a_folder_that_cannot_be_created(tmp_path, masks):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        AutosaveFolder(tmp_path / "file" / "autosave").lock()
    with pytest.raises(OutputError, match="file"):
        write_masks(tmp_path / "file" / "x.safetensors", case_along(), masks)


def test_the_autosave_folder_is_in_the_users_data_folder(monkeypatch, data_folder):
    folder = AutosaveFolder()
    assert folder.root == data_folder / "autosave"


LOCK_AND_WAIT = """
import sys, time
from pathlib import Path
from napari_cases import case_along, write_case_along
from smalltumor.data.case import read_case
from napari_smalltumor.autosave.files import AutosaveFolder, SavedMask, write_masks
import numpy as np
folder = AutosaveFolder(Path(sys.argv[1]))
folder.lock()
mask = SavedMask("m", np.ones((1, 1, 1), np.uint8), (0, 0, 0))
write_masks(folder.file_of(case_along()), case_along(), [mask])
print("locked", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_file_of_a_killed_process_can_be_restored(tmp_path):
    root = Path(__file__).resolve().parents[3]
    # The packages come first; otherwise the test folders of the same names hide them.
    paths = [str(root / "model"), str(root), str(root / "tests")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(
        [sys.executable, "-c", LOCK_AND_WAIT, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    folder = AutosaveFolder(tmp_path)
    assert folder.restorable_files(case_along()) == []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (file,) = folder.restorable_files(case_along())
    assert read_masks(file)[0].name == "m"
    folder.discard(file)
    assert list(tmp_path.iterdir()) == []


def test_edits_of_a_renamed_folder_are_told_by_the_folder_that_has_gone(tmp_path, masks):
    old = write_case_along(tmp_path / "Pat", "LPS", labels=False)
    left = AutosaveFolder(tmp_path / "autosave")
    write_masks(left.file_of(read_case(old)), read_case(old), masks)
    folder = AutosaveFolder(tmp_path / "autosave")
    assert folder.folders_gone(read_case(old)) == []
    new = old.rename(tmp_path / "Pat done")
    case = read_case(new)
    assert folder.restorable_files(case) == []
    assert folder.folders_gone(case) == [old]
    assert folder.folders_gone(replace(case, name="Pat-2")) == []
    write_case_along(old, "LPS", labels=False)  # another patient of this name
    assert folder.folders_gone(case) == []
