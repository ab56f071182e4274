"""napari reader for case folders, NIfTI volumes and stacked 4D files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.naming.case_files import MODALITIES, MSD_CHANNELS
from smalltumor.data.naming.export_names import region_file
from smalltumor.data.naming.file_names import LABELS, parse_file_name
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.naming.grouping import group_files
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.data.volumes.slicer_segments import SUFFIX as SEGMENTS_SUFFIX
from smalltumor.data.volumes.volume_files import volume_shape
from smalltumor.errors import CaseError
from smalltumor.extras import MissingPackageError
from smalltumor.files.listings import visible_entries
from smalltumor.files.transactions.recovery import recover_around

from napari_smalltumor import notify
from napari_smalltumor.calling_viewer import calling_viewer
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.metadata import source_role_of
from napari_smalltumor.loading.files.already_open import layer_of_file
from napari_smalltumor.loading.files.case_layers import layers_of_case, layers_of_export
from napari_smalltumor.loading.files.masks_of_other_images import warn_if_of_other_images
from napari_smalltumor.loading.files.real_paths import real_path
from napari_smalltumor.loading.files.replaced_files import check_file_unchanged
from napari_smalltumor.loading.files.single_file import read_single_file

if TYPE_CHECKING:
    from napari.layers import Layer

Reader = Callable[[str | Sequence[str]], list[LayerData]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the function that reads a path, or None if the plugin does not read it.

    Parameters
    ----------
    path : str or sequence of str
        A folder, a NIfTI file, or several files that were opened together.

    Returns
    -------
    callable or None
        Function that reads the path and returns layer data. It may raise `CaseError`.
    """
    if not isinstance(path, str):
        return _read_together if _are_one_case([Path(p) for p in path]) else None
    file = Path(path)
    if file.is_dir():
        return _read_folder if _contains_modalities(file) else None
    return _read_path if is_image_name(file) and _dimensions(file) in (0, 3, 4) else None


def _read_folder(path: str | Sequence[str]) -> list[LayerData]:
    return layers_of_case(find_case_files(Path(str(path))), layers=_open_layers())


def _read_together(paths: str | Sequence[str]) -> list[LayerData]:
    return layers_of_case(find_case_files([Path(p) for p in paths]), layers=_open_layers())


def _read_path(path: str | Sequence[str]) -> list[LayerData]:
    return layers_of_file(Path(str(path)), _open_layers())


def layers_of_file(file: Path, layers: Sequence[Layer]) -> list[LayerData]:
    """Read one file: a 4D file of a case, an exported mask, or an image or labels by themselves.

    Parameters
    ----------
    file : Path
    layers : sequence of layers
        What is open; nothing is read if a layer shows the file.

    Raises
    ------
    CaseError
        If the file cannot be read.
    """
    recover_around([file])
    if _dimensions(file) not in (0, 3):
        return layers_of_case(find_case_files(file), layers=layers)
    file = real_path(file)
    check_file_unchanged(file, layers)
    exported = region_file(file)
    if exported is not None:
        return layers_of_export(exported, layers)
    if layer_of_file(layers, file) is not None:
        return []
    layer = read_single_file(file)
    role = source_role_of(layer[1].get("metadata", {}))
    if role is not None and role.case is not None and not role.case.volumes:
        text = warn_if_of_other_images(role.case, file.name, layers)
        layer[1]["metadata"] = replace(role, other_images=text).metadata()
    if layer[2] == "image" and parse_file_name(file) is None:
        notify.info(
            f"The sequence of {file.name} is not recognised by its name. Choose the image as T1, "
            "T1CE, T2 or FLAIR in the Segment dock."
        )
    return [layer]


def _open_layers() -> list[Layer]:
    viewer = calling_viewer()
    return [] if viewer is None else list(viewer.layers)


def _dimensions(path: Path) -> int | None:
    """3 for a volume, 4 for stacked modalities, None for other shapes, 0 if that is not known."""
    try:
        shape = volume_shape(path)
    except MissingPackageError:
        return 3  # reading says what is to be installed
    except CaseError:
        return 0  # reading says what is wrong
    if len(shape) == 4 and path.name.lower().endswith(SEGMENTS_SUFFIX):
        return 3  # reading nests the layers
    if len(shape) == 4 and shape[3] == len(MSD_CHANNELS):
        return 4
    return 3 if len(shape) == 3 else None


def _contains_modalities(folder: Path) -> bool:
    try:
        files = [path for path in visible_entries(folder) if is_image_name(path)]
    except CaseError:
        return False
    roles = [match[1] for p in files if (match := parse_file_name(p)) is not None]
    return any(role != LABELS for role in roles)


def _are_one_case(paths: Sequence[Path]) -> bool:
    if not paths or not all(is_image_name(p) for p in paths):
        return False
    cases = group_files(paths)
    return len(cases) == 1 and len(cases[0].modalities) == len(MODALITIES)
