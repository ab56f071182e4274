"""Whatever is done in a window, and whenever work ends, it shows and writes one patient's data.

`tests/napari_smalltumor/patients/test_any_sequence.py` does the same without a window, where
nothing is computed meanwhile. The environment variable ``SMALLTUMOR_WALKS`` is the number of walks.
"""

from __future__ import annotations

import os
from random import Random

import numpy as np
import pytest
from cohort_results import write_results
from smalltumor.data.read_case import read_case
from smalltumor.follow_up import ScanRegistration, compare
from smalltumor.inference import segment
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import LPS, write_case
from window_checks import WindowChecks, WindowDocks
from window_comparing import write_earlier_scan, write_mask
from window_walk import WindowWalk

from napari_smalltumor import devices, settings
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.worklist.dock import WorklistDock

WALKS = int(os.environ.get("SMALLTUMOR_WALKS", "2"))
STEPS = 50
ON_ANOTHER_GRID = np.array([[-1, 0, 0, 12.5], [0, -1, 0, -30], [0, 0, 1.5, 40], [0, 0, 0, 1.0]])


@pytest.mark.slow
@pytest.mark.one_binding
@pytest.mark.parametrize("seed", range(WALKS))
def test_a_window_never_mistakes_a_patient(
    make_napari_viewer, dock_of, narrow_weights, tmp_path, qtbot, monkeypatch, seed, raised, errors
):
    monkeypatch.setattr(devices, "find_devices", lambda *arguments: None)
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: unmoved)
    settings.put("reader", "Reader")
    data, output = write_results(tmp_path)
    folders = [
        write_case(tmp_path / x / "Zoe", affine, name="Zoe", seed=n)
        for n, (x, affine) in enumerate((("a", LPS), ("b", ON_ANOTHER_GRID)))
    ]
    folders += [data / "ann", data / "bob"]
    chance = Random(seed)
    masks = [write_mask(tmp_path / f"{n}.nii.gz", x, chance) for n, x in enumerate(folders)]
    before = [tmp_path / "before" / x.parent.name / x.name for x in folders]
    scans = [write_earlier_scan(*pair, chance) for pair in zip(before, folders, strict=True)]
    checkpoint = load_checkpoint(narrow_weights)
    expected = {str(x): segment(read_case(x), checkpoint).classes for x in folders}
    expected[str(data / "cyd")] = segment(read_case(data / "cyd"), checkpoint).classes
    viewer = make_napari_viewer(show=True)
    others = (LesionsDock, WorklistDock, CompareDock, FollowUpDock)
    docks = WindowDocks(dock_of(viewer), *(dock(viewer) for dock in others))
    for dock in docks[1:]:
        viewer.window.add_dock_widget(dock, area="right")
    docks.worklist.open_results(output)
    qtbot.waitUntil(lambda: docks.worklist.worklist is not None)
    checks = WindowChecks(viewer, docks, folders, expected, qtbot, raised)
    walk = WindowWalk(checks, masks, scans, Random(seed))
    try:
        walk.go(STEPS)
    finally:
        walk.end()
        checks.settle()
    checks.check(may_edit=True)
