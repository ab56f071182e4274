"""napari's Save commands never write layers of a hidden patient."""

from __future__ import annotations

import numpy as np
import pytest
from napari._app_model import get_app_model
from napari.plugins import io
from napari_cases import write_case_along
from qtpy.QtWidgets import QFileDialog
from smalltumor.errors import OutputError

from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.save_commands import SAVE_ALL, SAVE_SELECTED


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


def enabled(viewer) -> tuple[bool, bool]:
    """Whether each command can be used, from the menu and by its shortcut."""
    menu = viewer.window.file_menu
    states = []
    for _ in range(2):
        states.append(tuple(menu.findAction(c).isEnabled() for c in (SAVE_ALL, SAVE_SELECTED)))
        menu.aboutToShow.emit()
    assert states[0] == states[1]
    return states[0]


@pytest.mark.slow
def test_commands_that_would_write_a_hidden_patient_are_off(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "First", labels=False))
    viewer.add_image(np.zeros((4, 4, 4)), name="plain")
    assert enabled(viewer) == (True, True)
    hidden = viewer.layers[0]
    second = open_case(viewer, write_case_along(tmp_path / "Second", labels=False))
    assert enabled(viewer) == (False, True)
    viewer.layers.selection = {second[0], hidden}
    assert enabled(viewer) == (False, False)
    viewer.layers.selection = {second[0]}
    assert enabled(viewer) == (False, True)
    action = viewer.window.file_menu.findAction(SAVE_ALL)
    assert "hidden layers of another patient" in action.statusTip()
    for layer in list(active_patient(viewer).layers):
        viewer.layers.remove(layer)
    assert active_patient(viewer).title == "First"
    assert enabled(viewer)[0]


def test_the_command_palette_cannot_write_a_hidden_patient(viewer, tmp_path, monkeypatch):
    """The palette runs commands that are off in the menu."""
    hidden = open_case(viewer, write_case_along(tmp_path / "First", labels=False))[0]
    shown = open_case(viewer, write_case_along(tmp_path / "Second", labels=False))[0]
    written = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: ("saved.nii.gz", ""))
    monkeypatch.setattr(
        io, "save_layers", lambda path, layers, **options: written.append(layers) or [path]
    )
    run = get_app_model().commands.execute_command
    for command, selection in ((SAVE_ALL, {shown}), (SAVE_SELECTED, {shown, hidden})):
        viewer.layers.selection = selection
        with pytest.raises(OutputError, match="layers belong to First"):
            run(command)
        assert not written
    viewer.layers.selection = {shown}
    run(SAVE_SELECTED)
    assert written == [[shown]]
