"""Which patient a file belongs to that was opened by itself, such as a mask.

Its name, its folder, the files beside it, and what it records of its images tell; see
`smalltumor.data.identity.case_names` for names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import (
    continues_name,
    is_named_after,
    states_case,
    states_other_case,
)
from smalltumor.data.identity.image_digests import are_other_images, digests_of_images
from smalltumor.data.identity.mask_names import named_case
from smalltumor.data.identity.visits import is_name_of
from smalltumor.data.naming.file_names import cases_of_images, parse_file_name
from smalltumor.data.volumes.nifti import is_image_name, stem
from smalltumor.errors import CaseError
from smalltumor.files.listings import entries
from smalltumor.files.names import safe_name, same_name

from napari_smalltumor import notify
from napari_smalltumor.layers.metadata import case_of, region_of, same_case
from napari_smalltumor.layers.patient import (
    PATIENT_KEY,
    Patient,
    assign,
    is_unidentified_image,
    layers_of_patient,
    patient_of,
    patient_of_case,
    patients_among,
)

if TYPE_CHECKING:
    from napari.layers import Layer


def join_patient(layer: Layer, layers: Sequence[Layer], active: Patient | None) -> bool:
    """Assign a newly opened file to the patient that it can only belong to, if there is one.

    Parameters
    ----------
    layer : Layer
        A layer that was just added.
    layers : sequence of layers
        All layers of the viewer.
    active : Patient or None
        The patient who was active when the file was asked for. A mask whose file name and folder
        tell no patient belongs to this one, if it has the same grid.

    Returns
    -------
    bool
        Whether nothing tells that it is the patient's but that the patient was active.
    """
    others = [x for x in _labels_without_images(layers) if x is not layer]
    is_known = PATIENT_KEY in layer.metadata  # that of a layer in whose place this one comes
    try:
        _join(layer, layers, active)
        is_assumed = not is_known and _is_assumed(layer, layers, active)
    except CaseError as error:  # the files beside it may tell that it is another patient's
        notify.warn(f"{error}. {layer.name} was not added to a patient who is open.")
        is_assumed = False
    for follower in others:
        with suppress(CaseError):  # said when it was opened
            _join(follower, layers, None)
    return is_assumed


def _join(layer: Layer, layers: Sequence[Layer], active: Patient | None) -> None:
    patient = _patient_to_join(layer, layers, active)
    if patient is not None:
        assign(layer, patient)


def _is_assumed(layer: Layer, layers: Sequence[Layer], active: Patient | None) -> bool:
    """Whether nothing tells that a layer is its patient's but that the patient was active."""
    case, joined = case_of(layer), layer.metadata.get(PATIENT_KEY)
    if case is None or joined is None or joined != active or not _is_unnamed(case):
        return False
    return not (
        states_case(case.name, joined.name)
        or (_lies_beside(case, joined, layers) and len(_cases_beside(case)) == 1)
        or _is_folder_named_after(case, joined)
    )


def joins_by_name(layer: Layer) -> bool:
    """Whether a layer may join the patient of other files: it states no case or has no images."""
    return not _has_images(case_of(layer)) or is_unidentified_image(layer)


def _labels_without_images(layers: Sequence[Layer]) -> Iterator[Layer]:
    pictured = {patient_of(x) for x in layers if _has_images(case_of(x))}
    return (x for x in layers if case_of(x) is not None and patient_of(x) not in pictured)


def _patient_to_join(
    layer: Layer, layers: Sequence[Layer], active: Patient | None
) -> Patient | None:
    case = case_of(layer)
    if case is None or not joins_by_name(layer):
        return None
    own = patient_of(layer)
    others = [x for x in layers if x is not layer and _fits(x, case)]
    candidates = patients_among(others)
    if own in candidates:
        return None
    if is_unidentified_image(layer):
        return _only(p for p in candidates if _is_file_of(case, p))
    if region_of(layer) is not None:
        candidates = [p for p in candidates if not _has_other_regions(layers, p, case)]
    beside = [p for p in candidates if _lies_beside(case, p, others)]
    if _lies_beside_its_images(case):
        candidates = beside
    if _is_unnamed(case):
        return _patient_of_unnamed(case, candidates, beside, active)
    return _only(p for p in candidates if is_name_of(case.name, p.name, p.folder))


def patient_with_other_regions(layer: Layer, layers: Sequence[Layer]) -> Patient | None:
    """The open patient of the name and grid of a region's file, who has regions already."""
    case = case_of(layer)
    if case is None or region_of(layer) is None or not joins_by_name(layer):
        return None
    others = [x for x in layers if x is not layer and _fits(x, case)]
    open_now = (p for p in patients_among(others) if p != patient_of(layer))
    named = [p for p in open_now if is_name_of(case.name, p.name, p.folder)]
    return _only(p for p in named if _has_other_regions(layers, p, case))


def _has_other_regions(layers: Sequence[Layer], patient: Patient, case: Case) -> bool:
    """Whether a patient has regions that are not those of a case."""
    own = (x for x in layers_of_patient(layers, patient) if region_of(x) is not None)
    return any(not same_case(case_of(x), case) for x in own)


def _lies_beside_its_images(case: Case) -> bool:
    """Whether the images of the case lie beside its mask; of a mask of no case, whether any do."""
    found = _cases_beside(case)
    return bool(found) and (_is_unnamed(case) or any(same_name(case.name, n) for n in found))


def _cases_beside(case: Case) -> Set[str]:
    """Names of the cases whose images lie beside a mask."""
    folder = patient_of_case(case).folder
    return cases_of_images(folder) if folder is not None else frozenset()


def _patient_of_unnamed(
    case: Case,
    candidates: Sequence[Patient],
    beside: Sequence[Patient],
    active: Patient | None,
) -> Patient | None:
    """The patient of a mask whose name has no known ending, and may state a case all the same.

    ``P7.nii.gz`` and ``P7_pred.nii.gz`` state P7, ``corrected.nii.gz`` states none.
    """
    stated = [p for p in candidates if is_named_after(case.name, p.name, p.folder)]
    if stated:
        longest = max(len(p.name) for p in stated)
        return _only(p for p in stated if len(p.name) == longest)
    possible = [p for p in candidates if not _is_named_after_another(case, p, p in beside)]
    identified = [p for p in possible if p in beside or _is_folder_named_after(case, p)]
    return active if active in (identified or possible) else _only(identified)


def _is_folder_named_after(case: Case, patient: Patient) -> bool:
    folder = patient_of_case(case).folder
    return folder is not None and states_case(folder.name, patient.name)


def _is_named_after_another(case: Case, patient: Patient, lies_beside: bool) -> bool:
    """Whether the name of a mask, or the files beside it, tell that it is another patient's."""
    if states_other_case(case.name, patient.name):
        return True
    folder = patient_of_case(case).folder
    if folder is None:
        return False
    if lies_beside:
        beside = _case_in(folder, case.name)
        return beside is not None and not same_name(beside, patient.name)
    if states_other_case(folder.name, patient.name):
        return True
    # A file of this name is the patient's mask, so that masks there are named after patients.
    return any(
        states_case(stem(path), patient.name) for path in entries(folder) if is_image_name(path)
    )


def _lies_beside(case: Case, patient: Patient, layers: Sequence[Layer]) -> bool:
    """Whether a mask lies in the folder of a patient, or of one of the patient's images."""
    folder = patient_of_case(case).folder
    own = (case_of(layer) for layer in layers_of_patient(layers, patient))
    folders = {path.parent for found in own if found is not None for path in found.paths.values()}
    return folder is not None and folder in {patient.folder, *folders}


def _fits(other: Layer, case: Case) -> bool:
    """Whether a layer shows an identified image on the grid of a case, and not others."""
    other_case = case_of(other)
    return (
        other_case is not None
        and _has_images(other_case)
        and not is_unidentified_image(other)
        and other_case.grid.matches(case.grid)
        and not is_of_others(case, other_case)
    )


def is_of_others(mask: Case, images: Case) -> bool:
    """Whether the file of a mask alone records other images than those of a case."""
    made_of = mask.labels_made_of
    return bool(made_of) and are_other_images(made_of, digests_of_images(images))


def _has_images(case: Case | None) -> bool:
    return case is not None and bool(case.volumes)


def _is_unnamed(case: Case) -> bool:
    """Whether a case is that of a label file whose name has no ending that tells the case."""
    return case.labels_path is not None and named_case(case.labels_path) is None


def _is_file_of(case: Case, patient: Patient) -> bool:
    """Whether an image of unknown modality lies in a patient's own folder or has its name."""
    folder = patient_of_case(case).folder
    if folder is None or folder != patient.folder:
        return False
    named = filter(None, (folder.name, _case_in(folder, case.name)))
    return any(same_name(name, patient.name) for name in named)


def _case_in(folder: Path, name: str) -> str | None:
    """Of the cases in a folder whose name a name continues, the one with the longest."""
    parsed = (parse_file_name(path) for path in entries(folder))
    cases = {safe_name(found[0]) for found in parsed if found is not None and found[0]}
    return max((c for c in cases if continues_name(name, c)), key=len, default=None)


def _only(patients: Iterable[Patient]) -> Patient | None:
    found = list(patients)
    return found[0] if len(found) == 1 else None
