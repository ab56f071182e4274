"""*Open case...* in a window: the file dialog has closed before a case is read."""

from __future__ import annotations

from qtpy.QtWidgets import QApplication, QFileDialog

from napari_smalltumor.loading import open_case


def test_the_file_dialog_is_gone_before_the_case_is_read(
    make_napari_viewer, synthetic_case, monkeypatch, qtbot
):
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(synthetic_case))
    open_case.open_case_folder(viewer)
    assert len(viewer.layers) == 0  # the window is redrawn first
    qtbot.waitUntil(lambda: len(viewer.layers) == 4)
    assert QApplication.overrideCursor() is None
