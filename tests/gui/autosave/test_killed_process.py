"""Edits are restored after napari was killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from event_loop import let_workers_end
from opened_case import saved_files
from smalltumor.labels.regions import Region

from napari_smalltumor import settings
from napari_smalltumor.autosave.restore_question import DISCARD, LATER, RESTORE
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.loading.open_case import open_case

ROOT = Path(__file__).resolve().parents[3]
SESSION = """
import sys
from pathlib import Path
import napari
import numpy as np
from napari_smalltumor.autosave import watcher
from napari_smalltumor import settings
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from qtpy.QtCore import QTimer
from shown_layers import show_segmentation
from smalltumor.labels.regions import Region
from smalltumor.data.segmentation import Segmentation

settings._pages = lambda: None
watcher.INTERVAL_MS = 50  # instead of one minute
viewer = napari.Viewer(show=False)
open_case(viewer, Path(sys.argv[1]))
case = case_of(viewer.layers[0])
classes = np.zeros(case.grid.shape, np.uint8)
classes[6:9, 6:9, 6:9] = 3
show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid, case.header))
region_layers(viewer.layers, case)[Region.ET].paint((9, 10, 11), 1)

def report():
    if list(Path(sys.argv[2]).glob("autosave/*/*.safetensors")):
        print("saved", flush=True)

timer = QTimer()
timer.timeout.connect(report)
timer.start(50)
napari.run(force=True)
"""


@pytest.fixture(scope="session")
def killed_once(synthetic_case, tmp_path_factory) -> Path:
    """The data folder of a napari process that was killed while a case was edited."""
    folder = tmp_path_factory.mktemp("killed")
    # The packages come first; otherwise the test folders of the same names hide them.
    paths = os.pathsep.join([str(ROOT / "model"), str(ROOT), str(ROOT / "tests" / "support")])
    environment = {**os.environ, "PYTHONPATH": paths, "SMALLTUMOR_DATA": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(synthetic_case), str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return folder


@pytest.fixture
def killed(killed_once, data_folder) -> Path:
    """A copy of the killed process's autosave folder for one test."""
    shutil.copytree(killed_once, data_folder)
    return data_folder / "autosave"


@pytest.mark.slow
def test_edits_are_restored_after_a_kill(
    killed, synthetic_case, make_napari_viewer, answers, qtbot
):
    queue, asked = answers
    viewer = make_napari_viewer()
    queue.append(LATER)
    layers = open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert "Edits of case" in asked[0] and "not saved: ET" in asked[0]
    assert len(viewer.layers) == len(layers)
    assert len(saved_files(killed)) == 1

    viewer.layers.clear()
    queue.append(RESTORE)
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 2)
    regions = region_layers(viewer.layers, case_of(viewer.layers[0]))
    for region in Region:
        assert regions[region].data[9, 10, 11] == 1
        assert np.count_nonzero(regions[region].data) > 27
    (saved,) = saved_files(killed)
    assert saved.parent == ensure_autosave(viewer).autosave.folder.path


@pytest.mark.slow
def test_the_user_is_asked_in_the_window_of_the_case_and_not_again_about_discarded_edits(
    killed, synthetic_case, make_napari_viewer, answers, parents, qtbot
):
    queue, asked = answers
    viewer = make_napari_viewer()
    make_napari_viewer()
    queue.append(DISCARD)
    open_case(viewer, synthetic_case)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert parents == [id(viewer.window._qt_window)]
    assert not killed.exists() or not any(killed.iterdir())
    viewer.layers.clear()
    open_case(viewer, synthetic_case)
    let_workers_end(qtbot)
    assert len(asked) == 1


@pytest.mark.slow
def test_the_user_is_not_asked_while_autosave_is_disabled(
    killed, synthetic_case, make_napari_viewer, answers, qtbot, monkeypatch
):
    settings.put("autosave", False)
    viewer = make_napari_viewer()
    open_case(viewer, synthetic_case)
    let_workers_end(qtbot)
    assert answers[1] == []
    assert len(saved_files(killed)) == 1
