"""The autosave folder of a viewer: its lock, and which files in others can be restored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from edit_sessions import case_of_file
from napari_cases import case_along, write_case_along
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError

from napari_smalltumor.autosave.edit_texts import unrestorable_edits_text
from napari_smalltumor.autosave.folder import AutosaveFolder, UnrestorableEdits
from napari_smalltumor.autosave.mask_files import SUFFIX, SavedMask, read_masks, write_masks
from napari_smalltumor.case_data.records import file_name


@pytest.fixture
def masks():
    return [SavedMask("Pat ET", np.ones((2, 3, 4), np.uint8), (1, 2, 3))]


def restorable(folder, case):
    return folder.restorable_files(file_name(case, SUFFIX))


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
from napari_cases import case_along
from napari_smalltumor.autosave.folder import AutosaveFolder
from napari_smalltumor.autosave.mask_files import SavedMask, write_masks
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
    paths = [str(root / "model"), str(root), str(root / "tests" / "support")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(
        [sys.executable, "-c", LOCK_AND_WAIT, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    folder = AutosaveFolder(tmp_path)
    assert restorable(folder, case_along()) == []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (file,) = restorable(folder, case_along())
    assert read_masks(file)[0].name == "m"
    folder.discard(file)
    assert list(tmp_path.iterdir()) == []


def test_edits_of_a_renamed_folder_are_reported_with_the_folder_that_has_gone(tmp_path, masks):
    old = write_case_along(tmp_path / "Pat", "LPS", labels=False)
    left = AutosaveFolder(tmp_path / "autosave")
    write_masks(left.file_of(read_case(old)), read_case(old), masks)
    folder = AutosaveFolder(tmp_path / "autosave")
    assert folder.unrestorable_edits(read_case(old)) == []
    new = old.rename(tmp_path / "Pat done")
    case = read_case(new)
    assert restorable(folder, case) == []
    assert folder.unrestorable_edits(case) == [UnrestorableEdits(old, False, None)]
    assert folder.unrestorable_edits(replace(case, name="Pat-2")) == []
    write_case_along(old, "LPS", labels=False)  # another patient of this name
    assert folder.unrestorable_edits(case) == []


def test_edits_of_a_label_file_that_was_overwritten_are_reported_with_the_file(tmp_path, masks):
    file = tmp_path / "Pat" / "Pat_seg.nii.gz"
    file.parent.mkdir()
    nib.save(nib.Nifti1Image(np.zeros((9, 10, 11), np.uint8), np.eye(4)), file)
    left, case = AutosaveFolder(tmp_path / "autosave"), case_of_file(file)
    write_masks(left.file_of(case), case, masks)
    folder = AutosaveFolder(tmp_path / "autosave")
    assert folder.unrestorable_edits(case_of_file(file)) == []
    nib.save(nib.Nifti1Image(np.ones((9, 10, 11), np.uint8), np.eye(4)), file)
    (edits,) = folder.unrestorable_edits(case_of_file(file))
    assert edits == UnrestorableEdits(file.parent, True, file)
    assert f"{file.name} holds something else now" in unrestorable_edits_text("Pat", edits)


def test_edits_on_one_image_are_reported_when_the_case_is_opened_by_another(tmp_path, masks):
    old = write_case_along(tmp_path / "Pat", "LPS", labels=False)
    left, case = AutosaveFolder(tmp_path / "autosave"), case_of_file(old / "Pat_flair.nii.gz")
    write_masks(left.file_of(case), case, masks)
    (edits,) = AutosaveFolder(tmp_path / "autosave").unrestorable_edits(read_case(old))
    assert edits == UnrestorableEdits(old, True, None)
    assert "other images than those that are open" in unrestorable_edits_text("Pat", edits)
