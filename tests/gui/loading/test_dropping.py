"""Folders and files are opened by drag and drop."""

from __future__ import annotations

import napari.settings
import pytest
from napari.settings._napari_settings import NapariSettings
from napari_cases import write_case_along
from planes_in_window import open_planes
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from smalltumor.labels.regions import Region
from synthetic import write_case

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.metadata import case_of, region_layers


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    """A viewer with the plugin as default reader, so that napari does not ask for one."""
    monkeypatch.setattr(napari.settings, "_SETTINGS", NapariSettings(config_path=None))
    settings.set_default_reader(True)
    return make_napari_viewer()


def drop(viewer, *paths):
    """Drop files on the canvas."""
    drop_on(viewer.window._qt_viewer, *paths)


def drop_on(widget, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    no_key = Qt.KeyboardModifier.NoModifier
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(9, 9), copy, mime, left, no_key))
    QApplication.sendEvent(widget, QDropEvent(QPointF(9, 9), copy, mime, left, no_key))


def visible(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers if layer.visible]


@pytest.mark.one_binding
def test_a_dropped_folder_is_opened_as_a_case(viewer, tmp_path):
    drop(viewer, write_case_along(tmp_path / "Pat", "RAS"))
    assert [layer.name for layer in viewer.layers] == [
        f"Pat {n}" for n in ("FLAIR", "T2", "T1", "T1CE", "labels")
    ]
    assert visible(viewer) == ["Pat T1CE", "Pat labels"]


def test_a_folder_dropped_on_the_planes_is_opened_as_on_the_canvas(viewer, tmp_path):
    drop(viewer, write_case_along(tmp_path / "First", labels=False))
    area = open_planes(viewer).area
    places = [QPoint(x, y) for x in (40, area.width() - 40) for y in (40, area.height() - 40)]
    assert {accepting_at(area, place) for place in places} == {area}
    drop_on(area, write_case_along(tmp_path / "Pat", "RAS", labels=False, seed=1))
    assert visible(viewer) == ["Pat T1CE"]


def accepting_at(area, place):
    """The widget to which Qt gives what is dropped at a place: the innermost that accepts drops."""
    widget = area.childAt(place)
    assert widget is not None and widget is not area
    while not widget.acceptDrops():
        widget = widget.parentWidget()
    return widget


ORDERS = ("seg t1ce t2 flair t1", "t2 flair t1 t1ce seg", "t1 seg flair t1ce t2")


@pytest.mark.slow
@pytest.mark.parametrize("together", [False, True])
def test_files_in_any_order_are_opened_as_one_case(viewer, dock_of, tmp_path, together):
    dock = dock_of(viewer)
    folder = write_case_along(tmp_path / "Pat", "LPS")
    for order in ORDERS:
        viewer.layers.clear()
        files = [folder / f"Pat_{word}.nii.gz" for word in order.split()]
        if together:
            drop(viewer, *files)
        else:
            for file in files:
                drop(viewer, file)
        assert len(viewer.layers) == 5
        assert visible(viewer) == ["Pat T1CE", "Pat labels"]
        assert viewer.layers[-1].name == "Pat labels"
        chosen = dock.panel.pickers.chosen
        assert {m: layer.name for m, layer in chosen.items()} == {
            m: f"Pat {m.upper()}" for m in ("flair", "t1ce", "t1", "t2")
        }


@pytest.mark.slow
def test_files_dropped_one_by_one_are_segmented_as_one_case(viewer, dock_of, tmp_path, run):
    dock = dock_of(viewer)
    folder = write_case(tmp_path / "case")
    for file in sorted(folder.iterdir()):
        drop(viewer, file)
    assert run(dock)
    case = case_of(viewer.layers["case ET"])
    assert set(region_layers(viewer.layers, case)) == set(Region)
    assert set(case.paths) == {"flair", "t1ce", "t1", "t2"}
    assert run(dock)
    assert len(viewer.layers) == 7


@pytest.mark.one_binding
def test_a_second_dropped_folder_is_shown_instead_of_the_first(viewer, dock_of, tmp_path):
    dock = dock_of(viewer)
    drop(viewer, write_case_along(tmp_path / "First", labels=False))
    drop(viewer, write_case_along(tmp_path / "Second", "SRA", labels=False))
    assert visible(viewer) == ["Second T1CE"]
    assert {layer.name.split()[0] for layer in dock.panel.pickers.chosen.values()} == {"Second"}


@pytest.mark.slow
def test_a_file_of_an_open_case_is_shown_and_not_opened_a_second_time(
    viewer, tmp_path, monkeypatch
):
    said: list[str] = []
    monkeypatch.setattr(notify, "info", said.append)
    folder = write_case_along(tmp_path / "Pat", "RAS")
    drop(viewer, folder)
    drop(viewer, write_case_along(tmp_path / "Next", "RAS", labels=False))
    before = list(viewer.layers)
    drop(viewer, folder / "Pat_t1.nii.gz")
    assert said[-1] == "Pat_t1.nii.gz is open already, as Pat T1."
    drop(viewer, folder / "Pat_seg.nii.gz")
    assert said[-1] == "Pat_seg.nii.gz is open already, as Pat labels."
    assert set(viewer.layers) == set(before) and visible(viewer) == ["Pat T1CE", "Pat labels"]
    viewer.layers.remove("Pat T1")
    drop(viewer, folder / "Pat_t1.nii.gz")
    assert "Pat T1" in viewer.layers


@pytest.mark.parametrize("running", [False, True])
def test_files_appear_in_the_window_on_which_they_are_dropped(
    viewer, make_napari_viewer, in_loop, qtbot, tmp_path, running
):
    other = make_napari_viewer()
    other.open(str(write_case_along(tmp_path / "other" / "Pat", "LPS")), plugin="napari-smalltumor")
    folder = write_case_along(tmp_path / "Pat", "RAS")
    assert napari.current_viewer() is other
    (in_loop if running else lambda call, *options: call(*options))(drop, viewer, folder)
    qtbot.waitUntil(lambda: len(viewer.layers) == 5)
    assert case_of(viewer.layers["Pat T1CE"]).labels_path.parent == folder
    assert [case_of(layer).labels_path.parent for layer in other.layers] == 5 * [
        tmp_path / "other" / "Pat"
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["notes.txt"], "notes.txt cannot be opened; drop a folder, NIfTI or DICOM files"),
        (["a.csv", "b.pdf"], "a.csv and b.pdf cannot be opened; drop a folder"),
        (["a.txt", "screen.png"], "screen.png is a picture, not a volume of a patient"),
    ],
)
def test_a_dock_says_of_dropped_files_that_it_cannot_open_them(
    viewer, dock_of, tmp_path, errors, qtbot, names, said
):
    panel = dock_of(viewer).panel
    for name in names:
        (tmp_path / name).write_text("nothing")
    drop_on(panel, *(tmp_path / name for name in names))
    qtbot.waitUntil(lambda: bool(errors))
    assert len(errors) == 1 and said in errors[0]
    assert not viewer.layers
