"""The question before files are replaced, which says when they were written and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QWidget
from smalltumor.text import list_text

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.replaced_masks import origin_text
from napari_smalltumor.export.file_times import written_text
from napari_smalltumor.export.written_masks import StampedFiles


def confirm_replacing_files(
    parent: QWidget | None,
    paths: Sequence[Path],
    replacement: str,
    note: Callable[[], str] = lambda: "",
) -> bool:
    """Ask whether to replace files, again if they are written while the question is open.

    Parameters
    ----------
    parent : QWidget or None
    paths : sequence of Path
        Files that exist.
    replacement : str
        What they are replaced with, such as ``the regions of P7``.
    note : callable
        Returns what else is said of the files before the question.
    """
    while True:
        files = StampedFiles.now(paths)
        if not _ask(parent, paths, replacement, note()):
            return False
        if files.are_unchanged:
            return True


def _ask(parent: QWidget | None, paths: Sequence[Path], replacement: str, note: str) -> bool:
    is_one = len(paths) == 1
    names = list_text(map(_described, paths))
    told = f"{names} exists." if is_one else f"These files exist: {names}."
    question = f"Replace {'it' if is_one else 'them'} with {replacement}?"
    text = "\n\n".join([" ".join(filter(None, (told, note))), question])
    return questions.confirm(
        parent, "Replace file?" if is_one else "Replace files?", text, "Replace"
    )


def _described(path: Path) -> str:
    known = "; ".join(filter(None, (written_text([path]), origin_text(path))))
    return f"{path.name} ({known})" if known else path.name
