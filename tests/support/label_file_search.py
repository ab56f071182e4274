"""The label files of one folder, without those of another side."""

from __future__ import annotations

from pathlib import Path

from smalltumor.evaluation.find_label_files import LabelFile, label_files_in, without_doubtful


def find_label_files(path: Path) -> list[LabelFile]:
    """The given label file, or those in a folder and its subfolders, without doubtful ones."""
    return without_doubtful(label_files_in(path), path)
