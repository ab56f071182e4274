"""The files from which the layers of a viewer were read, which are never replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.naming.file_names import parse_file_name
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.files.atomic import check_output

from napari_smalltumor.layers.metadata import source_role_of

if TYPE_CHECKING:
    from napari.layers import Layer


def source_files(layers: Iterable[Layer]) -> Iterator[Path]:
    """Source files of a viewer's layers, which an export must not replace.

    They include the images and experts' masks that lie beside those of a layer, opened or not.
    Files of labels that another plugin read are not included, so these can be saved in place.
    """
    folders: set[Path] = set()
    for layer in layers:
        origin = source_role_of(layer.metadata)
        if origin is not None and origin.case is not None:
            yield from origin.case.sources
            folders |= _folders_of(origin.case)
        elif layer._type_string == "image" and layer.source.path:
            yield Path(layer.source.path)
    for folder in folders:
        with suppress(OSError):
            yield from (p for p in folder.iterdir() if is_nifti_name(p) and parse_file_name(p))


def _folders_of(case: Case) -> set[Path]:
    """The folders of a case's files, also of a case that was read from a mask alone."""
    files = [*case.paths.values(), *([case.labels_path] if case.labels_path else [])]
    return {path.parent for path in files} | ({case.folder} if case.folder else set())


def check_no_source(paths: Iterable[Path], layers: Iterable[Layer]) -> None:
    """Check that no path is a source file of the layers.

    Raises
    ------
    OutputError
        That names the first path that is one.
    """
    sources = list(source_files(layers))
    for path in paths:
        check_output(path, overwrite=True, sources=sources)


def with_sources(segmentation: Segmentation, layers: Iterable[Layer]) -> Segmentation:
    """The segmentation with the files of the layers among those that it never replaces."""
    sources = (*segmentation.sources, *source_files(layers))
    return replace(segmentation, sources=tuple(dict.fromkeys(sources)))
