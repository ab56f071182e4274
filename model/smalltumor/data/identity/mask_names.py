"""Which case a mask is of, by its name."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.bids_labels import BidsLabels, bids_labels, labels_of_mask
from smalltumor.data.identity.case_names import (
    continues_name,
    differ_by_number,
    ends_with_other_number,
    is_named_after,
    states_other_scan,
    states_scan,
)
from smalltumor.data.identity.patients import patient_of, same_patient, states_visit
from smalltumor.data.identity.recorded_patient import recorded_patient
from smalltumor.data.identity.visits import folder_of, is_name_of, name_with_visit, visit_of
from smalltumor.data.naming.export_names import Export, exports_beside, region_file
from smalltumor.data.naming.file_names import (
    LABELS,
    case_name,
    cases_of_images,
    parse_file_name,
)
from smalltumor.data.naming.newest_exports import newest_first
from smalltumor.data.naming.visit_names import may_be_version
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError
from smalltumor.files.names import file_key, name_key, safe_name

_SLICER = ".seg.nrrd"

_WORDS_OF_NOBODY = frozenset(
    [
        *("annotator", "auto", "automatic", "best", "checked", "consensus", "corrected"),
        *("curated", "dmfnet", "draft", "edited", "ensemble", "epoch", "expert", "ff", "final"),
        *("fixed", "fold", "fused", "ground", "gt", "label", "labels", "manual"),
        *("mask", "mean", "median", "merged", "model", "monai", "my", "nd", "net", "network"),
        *("new", "nnunet", "old", "output", "pred", "predicted", "prediction"),
        *("processed", "qc", "rater", "rd", "reader", "reading", "ref", "reference", "result"),
        *("results", "rev", "review", "reviewed", "reviewer", "seg", "segmentation", "st"),
        *("staple", "test", "th", "the", "truth", "tumor", "tumour", "unet", "v", "version"),
    ]
)
"""Words of masks that say how or by whom they were made."""

_WORD = re.compile(r"[^\W\d_]+|\d+")


def check_patient(path: Path, case: Case) -> None:
    """Check that the name of a mask does not state another patient.

    What stands before an ending such as ``_seg`` names a patient if there are images of that name,
    or if it has another number in the place of that of the case. Elsewhere than beside the images
    it names one unless it consists of words that name nobody, as ``reader2_seg`` does.

    Raises
    ------
    CaseError
        If it does.
    """
    named = named_case(path)
    name = named or stem(path)
    own, other = patient_of(case.name), patient_of(name)
    if same_patient(other, own) or continues_name(other, own):
        return
    if _labels_for(path, name, case) is not None:
        return
    is_name_of_patient = named is not None and (
        _has_images(path, named, case)
        or (not is_in_folder_of(path, case) and _states_patient(path, named, case))
    )
    if is_name_of_patient or differ_by_number(own, other):
        raise _other_case_error(path, name, case)


def check_case(path: Path, case: Case) -> None:
    """Check that the name of a mask states neither another patient nor another scan.

    A scan may be stated by a mask that lies beside images if neither their names nor their folder
    states one.

    Raises
    ------
    CaseError
        If it does.
    """
    check_patient(path, case)
    named = named_case(path)
    name = named or stem(path)
    if is_named_after(name, case.name, folder_of(case)):
        return
    labels = _labels_for(path, name, case)
    if labels is not None and _is_session_of(labels, case):
        return
    if named is not None and _has_images(path, named, case):
        raise _other_case_error(path, name, case)
    is_beside_unnamed_scan = not visit_of(case) and is_in_folder_of(path, case)
    states_scan_of_its_own = (
        labels is not None
        or states_other_scan(name, case.name)
        or (named is not None and _states_scan(named, case.name))
    )
    if states_scan_of_its_own and not is_beside_unnamed_scan:
        raise _other_case_error(path, name, case)


def other_case_text(path: Path, case: Case) -> str:
    """A sentence about a mask beside the images of a case that is named after another; else empty.

    It may be the case's own, as where only the images were renamed, so that is no error. Nothing is
    said if the images have no names of their own, such as ``t1ce.nii.gz``.
    """
    named, images = named_case(path), map(parse_file_name, case.paths.values())
    own = {parsed[0] for parsed in images if parsed is not None and parsed[0]}
    if named is None or not own:
        return ""
    is_own_name = any(
        continues_name(named, name) or _has_labels_of(path, named, case, name)
        for name in {case.name, *own}
    )
    if is_own_name or not _states_patient(path, named, case):
        return ""
    return str(_other_case_error(path, named, case))


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


def _other_case_error(path: Path, named: str, case: Case) -> CaseError:
    return CaseError(f"by its name, {path.name} is a mask of {named}, not of {case.name}")


def _labels_for(path: Path, named: str, case: Case, name: str = "") -> BidsLabels | None:
    """The labels in the name of a mask, if by them it is of the patient of a case.

    Two patients may have the same labels: a mask of which there are images is of the patient that
    is recorded with it, not of another with its labels.

    Parameters
    ----------
    path : Path
    named : str
        The case that its name states.
    case : Case
    name : str
        That of the case, by default, or of its images.
    """
    labels = labels_of_mask(path, named, name or case.name)
    is_of_patient = labels and (recorded_patient(path) or not _has_images(path, named, case))
    return labels if is_of_patient else None


def _has_labels_of(path: Path, named: str, case: Case, name: str) -> bool:
    """Whether the labels of a mask beside images are those of the case, and of no other visit.

    A scan without a visit may be of any session.
    """
    labels = _labels_for(path, named, case, name)
    if labels is None:
        return False
    is_named_so = labels.key == bids_labels(name).key
    return is_named_so or not visit_of(case) or _is_session_of(labels, case)


def _is_session_of(labels: BidsLabels, case: Case) -> bool:
    """Whether the session of a mask is the visit of a case, or not stated."""
    names = (case.name, name_with_visit(case.name, folder_of(case)))
    return not labels.session or labels.key in [bids_labels(name).key for name in names]


def _states_patient(path: Path, named: str, case: Case) -> bool:
    """Whether the name of a mask elsewhere than beside the images is that of another patient.

    The masks that this program exports are named after cases.
    """
    if region_file(path) is not None or states_scan(named, case.name):
        return True
    if ends_with_other_number(named, case.name, within=patient_of(case.name)):
        return True
    return not (_names_nobody(named, case.name) or _is_end_of(named, case.name))


def _states_scan(named: str, case: str) -> bool:
    return states_scan(named, case) or ends_with_other_number(named, case, within=case)


def _names_nobody(named: str, case: str) -> bool:
    """Whether all words say how a mask was made; ``initial`` says it of a case without visits."""
    words = _WORD.findall(name_key(named))
    return all(
        word in _WORDS_OF_NOBODY
        or word.isdecimal()
        or (may_be_version(word) and not states_visit(case))
        for word in words
    )


def _is_end_of(named: str, case: str) -> bool:
    """Whether the name of a case ends so, as ``case_12`` does in ``case12`` and ``012``."""
    own, end = ([_plain_number(x) for x in _WORD.findall(name_key(n))] for n in (case, named))
    return own[-len(end) :] == end


def _plain_number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdecimal() else word


def _has_images(path: Path, named: str, case: Case) -> bool:
    """Whether there are images of the case that a mask names, other than those of a case.

    They are looked for beside the mask, beside the case's images, and in a folder of that name next
    to those of the case.
    """
    own_folders = {image.parent for image in case.paths.values()}
    own = {file_key(case_name(image)) for image in case.paths.values()}
    if path == case.labels_path or file_key(named) in own:
        return False
    beside = {path.parent, *own_folders}
    known = {file_key(name) for folder in beside for name in cases_of_images(folder)}
    if file_key(named) in known:
        return True
    next_to_own = {folder.resolve().parent / safe_name(named) for folder in own_folders}
    return any(map(cases_of_images, next_to_own - {folder.resolve() for folder in own_folders}))


def exports_of(case: Case) -> list[Export]:
    """What was exported beside a case's images, under its name or with the visit of its folder.

    The newest is first: it has the last corrections, however it is named and compressed.
    """
    names = dict.fromkeys((case.name, name_with_visit(case.name, folder_of(case))))
    found = (exports_beside(name, case.paths.values()) for name in names)
    return newest_first(list(chain.from_iterable(found)))


def is_mask_of_case_beside(path: Path, case: Case) -> bool:
    """Whether a mask lies in the folder of a case's images and has its name, or is its own."""
    if path == case.labels_path:
        return True
    named = named_case(path)
    is_named = named is not None and is_name_of(named, case.name, folder_of(case))
    return is_named and is_in_folder_of(path, case)
