"""A run that goes on, and Fine-tune docks that show it."""

from __future__ import annotations

import pytest
from held_runs import HeldRun
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor import settings
from napari_smalltumor.finetune import dialogs
from napari_smalltumor.finetune import dock as dock_module
from napari_smalltumor.finetune.dialogs import Answer
from napari_smalltumor.finetune.dock import FinetuneDock


@pytest.fixture
def held_run(tmp_path):
    held = HeldRun(RunFolder(tmp_path / "runs" / "held"))
    yield held
    held.process.kill()
    held.process.wait()


@pytest.fixture
def open_dock(monkeypatch, held_run, messages):
    """Adds a dock to a viewer, which restores the run that was shown last."""
    monkeypatch.setattr(dock_module.devices, "find_devices", lambda *args: None)
    monkeypatch.setattr(dock_module.devices, "find_memory", lambda *args: None)
    settings.put("run_folder", str(held_run.folder.path))

    def open_in(viewer, name: str = "Fine-tune") -> FinetuneDock:
        dock = FinetuneDock(viewer)
        viewer.window.add_dock_widget(dock, area="right", name=name)
        dock.poll()
        return dock

    return open_in


@pytest.fixture
def answers(monkeypatch):
    """Answers to the question before closing, and whether each time it could be cancelled."""
    answers: list[Answer] = []
    could_cancel: list[bool] = []

    def ask(parent, *, can_cancel: bool) -> Answer:
        could_cancel.append(can_cancel)
        return answers.pop(0)

    monkeypatch.setattr(dialogs, "ask_before_closing", ask)
    return answers, could_cancel
