"""Nothing joins what is open of files that hold other images or labels by now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.identity.visits import folder_of, is_name_of
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.export_names import region_file
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.files.names import same_name

from napari_smalltumor.layers.changed_images import (
    ChangedImagesError,
    ChangedLabelsError,
    folders_of,
    no_longer_shown_text,
)
from napari_smalltumor.layers.metadata import LayerKind, cases_among, role_of
from napari_smalltumor.layers.titles import title_of_case
from napari_smalltumor.loading.files.already_open import real_images

if TYPE_CHECKING:
    from napari.layers import Layer


_OF_FILES = (LayerKind.TISSUE_CLASSES, LayerKind.LABELS)


def check_case_unchanged(files: CaseFiles, layers: Iterable[Layer]) -> None:
    """Check that files are those of the open case that they seem to be of, if there is one.

    Raises
    ------
    ChangedFilesError
        If they were replaced since that case was opened.
    """
    layers = list(layers)
    images = real_images(files)
    for case in cases_among(layers):
        if images & case.loaded_images.keys():
            _check(case, layers, case.has_changed_images)
        elif same_name(case.name, files.name) and folders_of(case) & {
            path.parent for path in images
        }:
            _check(case, layers, _lacks_files(case))  # under other names
    for path in files.labels:
        _check_labels(path, layers)


def check_file_unchanged(file: Path, layers: Iterable[Layer]) -> None:
    """Check that a file holds what is shown of it, and lies beside the images that are shown.

    Raises
    ------
    ChangedFilesError
        If it does not.
    """
    layers = list(layers)
    for case in cases_among(layers):
        if file in case.loaded_images or (
            file.parent in folders_of(case) and _may_be_of(file, case)
        ):
            _check(case, layers, case.has_changed_images)
    _check_labels(file, layers)


def _may_be_of(file: Path, case: Case) -> bool:
    """Whether the name of a file states no case, or this one."""
    exported, parsed = region_file(file), parse_file_name(file)
    named = exported.case if exported is not None else parsed[0] if parsed is not None else ""
    return not named or is_name_of(named, case.name, folder_of(case))


def _check_labels(file: Path, layers: Iterable[Layer]) -> None:
    for layer in layers:
        role = role_of(layer)
        if role is None or role.case is None or role.kind not in _OF_FILES:
            continue
        read = role.case.loaded_labels
        if read is not None and read.path == file and read.is_changed:
            raise ChangedLabelsError(
                f"{file.name} no longer holds the labels that are shown as {layer.name}, and "
                "nothing was opened; save what you need of that layer, remove it, and open the "
                "file again"
            )


def _lacks_files(case: Case) -> bool:
    return any(image.is_missing for image in case.loaded_images.values())


def _check(case: Case, layers: Iterable[Layer], is_changed: bool) -> None:
    if is_changed:
        title = title_of_case(layers, case)
        raise ChangedImagesError(
            f"{no_longer_shown_text(case, title)}, and nothing was opened; close {title} and open "
            "the folder again"
        )
