"""Files of edited masks: whole, checked, and found by case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from napari_cases import case_along
from smalltumor.errors import CheckpointError, OutputError
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.files import (
    AutosaveFolder,
    SavedMask,
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


def test_masks_come_back_as_they_were(tmp_path, masks):
    path = tmp_path / "made" / "x.safetensors"
    write_masks(path, case_along(), masks)
    for ours, back in zip(masks, read_masks(path), strict=True):
        assert np.array_equal(ours.on_grid((9, 10, 11)), back.on_grid((9, 10, 11)))
        assert (ours.name, ours.start) == (back.name, back.start)
        assert (ours.region, ours.scheme) == (back.region, back.scheme)


def test_a_box_outside_the_grid_is_refused(masks):
    with pytest.raises(CheckpointError, match="is not one of"):
        masks[0].on_grid((2, 2, 2))


@given(data=st.data())
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_gives_masks_or_a_typed_error(tmp_path, masks, data):
    path = tmp_path / "x.safetensors"
    write_masks(path, case_along(), masks)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        for mask in read_masks(path):
            mask.on_grid((9, 10, 11))
    except CheckpointError:
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path, masks):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        AutosaveFolder(tmp_path / "file" / "autosave").lock()
    with pytest.raises(OutputError, match="file"):
        write_masks(tmp_path / "file" / "x.safetensors", case_along(), masks)


def test_the_folder_of_the_users_data_can_be_named(monkeypatch, data_folder):
    folder = AutosaveFolder()
    assert folder.root == data_folder / "autosave"


HOLD = """
import sys, time
from pathlib import Path
from napari_cases import case_along
from napari_smalltumor.autosave.files import AutosaveFolder, SavedMask, write_masks
import numpy as np
folder = AutosaveFolder(Path(sys.argv[1]))
folder.lock()
mask = SavedMask("m", np.ones((1, 1, 1), np.uint8), (0, 0, 0))
write_masks(folder.file_of(case_along()), case_along(), [mask])
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_process_leaves_its_file_to_the_next(tmp_path):
    root = Path(__file__).resolve().parents[3]
    # The packages first, or the folders of their tests hide them.
    paths = [str(root / "model"), str(root), str(root / "tests")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    folder = AutosaveFolder(tmp_path)
    assert folder.restorable_files(case_along()) == []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (file,) = folder.restorable_files(case_along())
    assert read_masks(file)[0].name == "m"
    folder.discard(file)
    assert list(tmp_path.iterdir()) == []
