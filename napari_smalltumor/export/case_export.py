"""Write the regions of a case, with all edits, as label files, masks or a BIDS dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.bids.write import write_bids
from smalltumor.data.case import Case
from smalltumor.data.identity.visits import folder_of, name_with_visit
from smalltumor.data.masks.label_files import on_grid, read_label_volume
from smalltumor.data.masks.label_scheme import own_scheme
from smalltumor.data.masks.mask_paths import check_mask_path
from smalltumor.data.naming.export_names import EXPORT_ENDING, region_paths
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.labels.schemes import SCHEMES, integer_values, with_classes

from napari_smalltumor.export.file_names import with_ending
from napari_smalltumor.export.native_grid import placed_on
from napari_smalltumor.export.source_files import with_sources
from napari_smalltumor.layers.changed_images import check_not_beside
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.incomplete_results import (
    check_complete,
    incomplete_text,
    is_incomplete,
)
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

DEFAULT_SUFFIX = ".nii.gz"


def case_to_export(viewer: ViewerModel, patient: Patient | None = None) -> Case | None:
    """The case to export: that of the topmost region of a patient, by default the active one."""
    return case_with_regions(
        active_patient(viewer).layers
        if patient is None
        else layers_of_patient(viewer.layers, patient)
    )


def case_with_regions(layers: Sequence[Layer]) -> Case | None:
    """The case of the topmost region among the layers of one patient.

    A result of which regions are still being added counts as none.
    """
    for layer in reversed(layers):
        case = case_of(layer)
        regions = {} if case is None else region_layers(layers, case)
        if layer in regions.values():
            return None if is_incomplete(regions.values()) else case
    return None


def no_regions_text(viewer: ViewerModel, purpose: str) -> str:
    """Why the active patient has no case to export.

    Parameters
    ----------
    viewer : ViewerModel
    purpose : str
        What the regions are needed for, such as ``to export``.
    """
    patients = active_patient(viewer)
    if is_incomplete(patients.layers):
        return f"{incomplete_text(patients.title)}."
    return f"There are no ET, TC or WT layers {purpose}; segment a case first."


def suggested_name(case: Case) -> str:
    """A file name that no image and no expert's mask has, and no other visit that folders state."""
    return f"{name_with_visit(case.name, folder_of(case))}{EXPORT_ENDING}{DEFAULT_SUFFIX}"


def file_to_save(viewer: ViewerModel, case: Case) -> Path | None:
    """``CASE_smalltumor.nii.gz`` beside the images, with which it is opened again."""
    folder = patient_of_shown_case(viewer.layers, case).folder
    if folder is None:
        return None
    return folder / f"{safe_name(case.name)}{EXPORT_ENDING}{DEFAULT_SUFFIX}"


def targets(path: Path, *, per_region: bool) -> list[Path]:
    """The files that an export to `path` writes."""
    path = with_suffix(path)
    return list(region_paths(path).values()) if per_region else [path]


def export_case(
    viewer: ViewerModel,
    case: Case,
    path: Path,
    *,
    scheme: str,
    per_region: bool = False,
    native: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the regions of a case with their edits in the viewer.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    path : Path
        Path of the label file. Names of region files are derived from it.
    scheme : str
        Name of the label scheme.
    per_region : bool
        Whether to write three masks of 0 and 1 instead of one label file.
    native : str, optional
        Modality on whose native grid the files lie, of a case that was prepared from a scan.
    overwrite : bool
        Whether existing files may be replaced. Source files of the viewer's layers are never
        replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If the case has no regions or a file cannot be written. No file is then written.
    """
    segmentation = placed_on(_segmentation_to_export(viewer, case), case, native)
    path = with_suffix(path)
    check_not_beside([path], case)
    for target in targets(path, per_region=per_region):
        check_mask_path(target, case.name)
    if per_region:
        return write_regions(segmentation, path, overwrite=overwrite)
    return [write_segmentation(segmentation, path, scheme=scheme, overwrite=overwrite)]


def is_exported_to(viewer: ViewerModel, case: Case, path: Path, *, scheme: str) -> bool:
    """Whether a label file holds the regions of a case with their edits, in a label scheme.

    A file that is absent, cannot be read or does not tell its scheme does not.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    path : Path
    scheme : str
        Name of the label scheme.
    """
    segmentation = _segmentation_to_export(viewer, case)
    try:
        volume = on_grid(read_label_volume(path), case.grid, "the images")
        found = own_scheme(volume, integer_values(volume.data))
        written_in = with_classes(SCHEMES[scheme], segmentation.stored)
        is_in_scheme = found is not None and found.scheme.name == written_in.name
        return is_in_scheme and np.array_equal(written_in.decode(volume.data), segmentation.classes)
    except SmalltumorError:
        return False


def export_bids(
    viewer: ViewerModel,
    case: Case,
    dataset: Path,
    *,
    scheme: str,
    authors: Sequence[str] = (),
    session: str = "",
    overwrite: bool = False,
) -> list[Path]:
    """Write the regions of a case with their edits to a BIDS derivative dataset.

    Parameters and errors as for `export_case` and `smalltumor.data.bids.write.write_bids`.
    """
    segmentation = _segmentation_to_export(viewer, case)
    check_not_beside([dataset / "dataset_description.json"], case)
    return write_bids(
        segmentation,
        dataset,
        scheme=scheme,
        authors=authors,
        session=session,
        overwrite=overwrite,
        other_images=True,  # the user was asked
    )


def _segmentation_to_export(viewer: ViewerModel, case: Case) -> Segmentation:
    ensure_nesting(viewer).apply()
    check_complete(region_layers(viewer.layers, case).values(), case.name)
    segmentation = segmentation_of(viewer.layers, case)
    if segmentation is None:
        raise OutputError(f"{case.name} has no ET, TC or WT layer to export; segment it first")
    return with_sources(segmentation, viewer.layers)


def with_suffix(path: Path) -> Path:
    """The path, with .nii.gz appended if it has no ending; see `file_names.with_ending`."""
    return with_ending(path, (DEFAULT_SUFFIX, ".nii"), "a mask")
