"""The question before files are replaced, which says when they were written and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QWidget
from smalltumor.text import list_text

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.replaced_masks import origin_text
from napari_smalltumor.export.file_times import written_text


def confirm_replacing_files(
    parent: QWidget | None, paths: Sequence[Path], replacement: str, note: str = ""
) -> bool:
    """Ask whether to replace files.

    Parameters
    ----------
    parent : QWidget or None
    paths : sequence of Path
        Files that exist.
    replacement : str
        What they are replaced with, such as ``the regions of P7``.
    note : str
        What else is said of the files before the question.
    """
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
