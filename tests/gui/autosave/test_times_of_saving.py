"""When edits are saved: every minute, before a run, and when the window closes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from opened_case import saved_files

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave import watcher
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export


@pytest.mark.one_binding
def test_edits_are_saved_every_minute_until_they_are_exported(
    edited, tmp_path, data_folder, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QFileDialog

    viewer, _ = edited
    viewer_autosave = ensure_autosave(viewer)
    assert viewer_autosave._save_timer.isActive()
    assert viewer_autosave._save_timer.interval() == 60_000
    viewer_autosave._save_timer.timeout.emit()
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)
    target = str(tmp_path / "out.nii.gz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (target, ""))
    monkeypatch.setattr(notify, "info", lambda message: None)
    assert ask_and_export(viewer, None, per_region=False)
    qtbot.waitUntil(lambda: saved_files(data_folder / "autosave") == [])


@pytest.mark.slow
def test_edits_are_saved_when_the_window_closes(edited, dock_of, data_folder, qtbot):
    viewer, _case = edited
    dock = dock_of(viewer)
    window = viewer.window._qt_window
    window.show()
    qtbot.waitUntil(dock.isVisible)
    assert saved_files(data_folder / "autosave") == []
    window.hide()  # the first step of closing
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


@pytest.mark.one_binding
def test_edits_are_saved_before_a_run(edited, dock_of, data_folder, qtbot, monkeypatch):
    viewer, _case = edited
    dock = dock_of(viewer)
    monkeypatch.setattr(questions, "ask", lambda *a, harmless: "Replace")
    worker = SimpleNamespace(quit=lambda: None, abort_requested=False)
    monkeypatch.setattr("napari_smalltumor.segment.run.start", lambda job, name, **slots: worker)
    dock.segment()
    qtbot.waitUntil(lambda: len(saved_files(data_folder / "autosave")) == 1)


def test_a_write_error_is_reported_once(edited, data_folder, qtbot, monkeypatch):
    viewer, _case = edited
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    data_folder.write_bytes(b"a file where the folder should be")
    messages = []
    monkeypatch.setattr(watcher.notify, "warn", messages.append)
    viewer_autosave = ensure_autosave(viewer)
    viewer_autosave.save_now()
    qtbot.waitUntil(lambda: viewer_autosave.save_now() or bool(messages))
    viewer_autosave.save_now()
    assert len(messages) == 1
    assert "could not be autosaved" in messages[0]
