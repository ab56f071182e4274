"""Which case a mask is of, by its name."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import (
    continues_name,
    differ_by_number,
    states_case,
    states_other_scan,
)
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.exported_masks import RegionFile, region_file, region_files_beside
from smalltumor.data.naming.file_names import (
    LABELS,
    case_name,
    cases_of_images,
    parse_file_name,
)
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError
from smalltumor.files.names import name_key, safe_name

_SLICER = ".seg.nrrd"


def check_patient(path: Path, case: Case) -> None:
    """Check that the name of a mask does not state another patient.

    A name states a patient before an ending such as ``_seg``, unless the file lies beside the
    images and no others of that name do, and by a number in place of that of the case.

    Raises
    ------
    CaseError
        If it does.
    """
    named = named_case(path)
    own, other = patient_of(case.name), patient_of(named or stem(path))
    if continues_name(other, own):
        return
    states_patient = named and (not is_in_folder_of(path, case) or _has_others(path, named, case))
    if states_patient or differ_by_number(own, other):
        raise _another(path, named or stem(path), case)


def check_case(path: Path, case: Case) -> None:
    """Check that the name of a mask states neither another patient nor another scan.

    A scan may be stated by a mask that lies beside images whose names state none.

    Raises
    ------
    CaseError
        If it does.
    """
    check_patient(path, case)
    named = named_case(path)
    name = named or stem(path)
    if states_case(name, case.name):
        return
    states_scan = states_other_scan(name, case.name) or (
        named is not None and patient_of(named) != named
    )
    is_beside_unnamed_scan = patient_of(case.name) == case.name and is_in_folder_of(path, case)
    has_own_images = named is not None and _has_others(path, named, case)
    if has_own_images or (states_scan and not is_beside_unnamed_scan):
        raise _another(path, name, case)


def named_case(path: Path) -> str | None:
    """The case that the name of a mask states before a known ending; None if it states none.

    ``.seg.nrrd`` is a format and no such ending: 3D Slicer's first segmentation of any patient is
    ``Segmentation.seg.nrrd``.
    """
    if path.name.lower().endswith(_SLICER):
        path = path.with_name(f"{path.name[: -len(_SLICER)]}.nrrd")
    exported = region_file(path)
    if exported is not None:
        return exported.case
    parsed = parse_file_name(path)
    return parsed[0] or None if parsed is not None and parsed[1] == LABELS else None


def is_in_folder_of(path: Path, case: Case) -> bool:
    """Whether a file lies in a folder of the case's images, or is the case's own mask."""
    folders = {p.parent.resolve() for p in case.paths.values()}
    return path == case.labels_path or path.parent.resolve() in folders


def _another(path: Path, named: str, case: Case) -> CaseError:
    return CaseError(f"by its name, {path.name} is a mask of {named}, not of {case.name}")


def _has_others(path: Path, named: str, case: Case) -> bool:
    """Whether images of the case that a mask names lie beside it, and are others than a case's."""
    beside = {name_key(each) for each in cases_of_images(path.parent)}
    own = {name_key(case_name(image)) for image in case.paths.values()}
    return path != case.labels_path and name_key(safe_name(named)) in beside - own


def region_files_of(case: Case) -> list[RegionFile]:
    """The exported files beside a case's images: the label file, else the masks of its regions."""
    return region_files_beside(case.name, case.paths.values())


def is_beside(file: RegionFile, case: Case) -> bool:
    """Whether a file was exported from a case, to the folder of its images."""
    folders = {path.parent.resolve() for path in case.paths.values()}
    return safe_name(case.name) == file.case and file.path.parent.resolve() in folders
