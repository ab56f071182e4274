"""The files that hold the mask of an earlier scan, and whether they have changed."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.data.masks.exported_masks import masks_named_as_exported

from napari_smalltumor.export.written_masks import StampedFiles


def mask_files(case: Case) -> StampedFiles:
    """The masks beside the images of a case, as they are.

    They are others once a mask is exported there, which `mask_beside` prefers to an expert's.
    """
    paths = [file.path for file in masks_named_as_exported(case)]
    if case.labels_path is not None and case.labels_path not in paths:
        paths.append(case.labels_path)
    return StampedFiles.now(paths)
