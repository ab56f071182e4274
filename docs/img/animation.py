"""Make `workflow.webp` of the README: drop, Segment, fly to a small lesion, accept, export.

xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" python docs/img/animation.py [FILE]

It drives the plugin as a user would: a drop event, clicks on buttons, and the file dialog.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import napari
from napari.qt.threading import WorkerBase
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtCore import QBuffer, QIODevice, QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QPixmap
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QPushButton
from screenshots import MAX_RUN_MS, SIZE, wait
from smalltumor import read_case
from smalltumor import segment as segment_case
from smalltumor.data.sample import sample_case_folder

from napari_smalltumor import settings
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.docks.dock_tabs import bring_to_front

SCALED = (960, 600)
CAPTION_HEIGHT = 36
MODALITIES = ("flair", "t1", "t1ce", "t2")
WELL_VISIBLE_VOXELS = 50
STEP_MS, MAX_STEP_MS, READING_MS = 400, 1500, 1800


class Film:
    """Frames of a window with a caption, and how long each is shown.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._window = viewer.window
        self._frames: list[Image.Image] = []
        self._milliseconds: list[int] = []

    def take(self, caption: str, milliseconds: int = STEP_MS) -> None:
        """Add what the window, or a dialog in front of it, shows now."""
        frame = Image.fromarray(self._window.screenshot(flash=False, canvas_only=False))
        frame = frame.convert("RGB").resize(SCALED, Image.Resampling.LANCZOS)
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QFileDialog) and dialog.isVisible():
                _paste_in_the_middle(frame, _image_of(dialog.grab()))
        self._add(frame, caption, milliseconds)

    def _add(self, frame: Image.Image, caption: str, milliseconds: int) -> None:
        whole = Image.new("RGB", (SCALED[0], SCALED[1] + CAPTION_HEIGHT), "#14161b")
        whole.paste(frame, (0, CAPTION_HEIGHT))
        font = ImageFont.load_default(size=18)
        ImageDraw.Draw(whole).text((14, 7), caption, font=font, fill="white")
        self._frames.append(whole)
        self._milliseconds.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write the frames as an animated WebP that begins again at its end."""
        first, *others = self._frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self._milliseconds,
            loop=0,
            quality=70,
            method=6,
        )
        print(f"wrote {path} ({len(self._frames)} frames, {path.stat().st_size / 1e6:.2f} MB)")


def make(path: Path, case: Path) -> None:
    """Work through the images in a folder, which gets the mask, and write the film."""
    segment_case(read_case(case))  # the first run also compiles the network
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    segment, lesions = SegmentDock(viewer), LesionsDock(viewer)
    viewer.window.add_dock_widget(segment, area="right", name="Segment (Small Tumour)")
    viewer.window.add_dock_widget(lesions, name="Lesions (Small Tumour)", tabify=True)
    wait(READING_MS)
    bring_to_front(segment)
    wait(READING_MS)
    film = Film(viewer)
    film.take("1  Drop a patient's folder on the window", READING_MS)
    drop_case(segment, case)
    wait(MAX_RUN_MS, lambda: len(viewer.layers) >= len(MODALITIES))
    wait(READING_MS)
    film.take("1  Its sequences are told apart by their names", READING_MS)
    run(segment, film)
    review(lesions, film)
    export(segment, film)
    film.save(path)
    viewer.close()
    WorkerBase.await_workers(READING_MS)


def copy_case(folder: Path) -> Path:
    """Copy the images of the sample case, without the expert's mask, as a folder in a folder."""
    source = sample_case_folder()
    case = folder / source.name
    case.mkdir()
    for modality in MODALITIES:
        shutil.copy(source / f"{source.name}_{modality}.nii.gz", case)
    return case


def drop_case(dock: SegmentDock, case: Path) -> None:
    """Drop the folder of a case."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(case))])
    middle, copy = dock.panel.rect().center(), Qt.DropAction.CopyAction
    button, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(dock.panel, QDragEnterEvent(middle, copy, data, button, no_key))
    drop = QDropEvent(QPointF(middle), copy, data, button, no_key)
    QApplication.sendEvent(dock.panel, drop)


def run(dock: SegmentDock, film: Film) -> None:
    """Click Segment; the layers appear."""
    click(dock, "Segment")
    while dock.is_running:
        film.take("2  Click Segment")
        wait(MAX_STEP_MS, lambda: not dock.is_running)
    wait(MAX_RUN_MS, lambda: "component" in dock.panel.results.text)
    wait(READING_MS)
    film.take("2  ET, TC and WT appear, with their volumes", READING_MS)


def review(dock: LesionsDock, film: Film) -> None:
    """Fly to the first small lesion that is well visible, and accept it."""
    bring_to_front(dock)
    wait(MAX_RUN_MS, lambda: bool(dock.review.small))
    wait(READING_MS)
    film.take("3  Lesions are listed, small ones first", READING_MS)
    for lesion in dock.review.small:
        dock.review_actions.next_small()
        wait(READING_MS)
        film.take("3  N flies to the next small lesion, which is ringed", READING_MS)
        if lesion.voxels >= WELL_VISIBLE_VOXELS:
            break
    dock.review_actions.accept()
    wait(READING_MS)
    film.take("4  K accepts it", READING_MS)


def export(dock: SegmentDock, film: Film) -> None:
    """Export the mask by the file dialog of the dock, which proposes the folder of the case."""
    bring_to_front(dock)
    QTimer.singleShot(READING_MS, lambda: _confirm(film))
    click(dock, "Export")
    wait(READING_MS)
    film.take("5  The mask opens in other programs in the right place", 2 * READING_MS)


def _confirm(film: Film) -> None:
    film.take("5  Export writes a label file", READING_MS)
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QFileDialog) and dialog.isVisible():
            buttons = dialog.findChild(QDialogButtonBox)
            buttons.button(QDialogButtonBox.StandardButton.Save).click()


def click(dock: SegmentDock, text: str) -> None:
    """Click the button whose text begins with these words."""
    button = next(
        b for b in dock.findChildren(QPushButton) if b.text().replace("&", "").startswith(text)
    )
    button.click()


def _image_of(picture: QPixmap) -> Image.Image:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")


def _paste_in_the_middle(frame: Image.Image, dialog: Image.Image) -> None:
    scale = SCALED[0] / SIZE[0]
    small = dialog.resize((int(dialog.width * scale), int(dialog.height * scale)))
    frame.paste(small, ((frame.width - small.width) // 2, (frame.height - small.height) // 2))


def main() -> None:
    """Make the animation, with the default settings."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "workflow.webp"
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    settings._pages = lambda: None  # type: ignore[assignment]  # not those of the user
    settings.put("autosave", False)
    with tempfile.TemporaryDirectory() as folder:
        make(path, copy_case(Path(folder)))


if __name__ == "__main__":
    main()
