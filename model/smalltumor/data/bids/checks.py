"""Checks before a segmentation is written to a BIDS dataset: of its patient, visit and images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from smalltumor.data.bids.dataset import check_bids_dataset
from smalltumor.data.bids.names import bids_paths, masks_of_subject, subject_of
from smalltumor.data.identity.bids_labels import session_label
from smalltumor.data.identity.image_digests import (
    are_other_images,
    images_of_mask,
    share_an_image,
)
from smalltumor.data.identity.patients import same_patient
from smalltumor.data.identity.recorded_patient import recorded_patient
from smalltumor.data.identity.visits import stated_visit, visit_in_name
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.atomic import check_output, check_output_folder
from smalltumor.files.transactions.recovery import recover_around


def check_bids(
    case: str,
    dataset: Path,
    *,
    authors: Sequence[str] = (),
    session: str = "",
    overwrite: bool = False,
    sources: Iterable[Path] = (),
) -> list[Path]:
    """Check that the segmentation of a case can be written to a dataset.

    Returns
    -------
    list of Path
        The image, its description and its table.

    Raises
    ------
    CaseError, OutputError
        As `smalltumor.data.bids.write.write_bids`.
    """
    check_output_folder(dataset)
    check_bids_dataset(dataset, authors)
    paths = bids_paths(case, dataset, session)
    recover_around(paths)
    _check_patient(case, dataset)
    check_output_folder(paths[0].parent)
    sources = list(sources)
    for path in paths:
        if path.parent.is_dir():
            try:
                check_output(path, overwrite=overwrite, sources=sources)
            except OutputError as error:
                visit = "" if session else _visit_of_folder(case, sources)
                if not visit or error.remedy != Remedy(Action.REPLACE_OUTPUT):
                    raise
                raise OutputError(
                    f"{error}, perhaps of another visit than {visit}, which the name {case} does "
                    "not state",
                    Remedy(Action.REPLACE_OUTPUT, session=visit),
                ) from error
    return paths


def _check_patient(case: str, dataset: Path) -> None:
    """Check that the subject of a case is not another patient in a dataset.

    Labels have letters and digits only, so that ``PAT_1_12`` and ``PAT_11_2`` have the same. What
    was written before patients were recorded tells nothing.
    """
    for mask in masks_of_subject(case, dataset):
        patient = recorded_patient(mask)
        if patient and not same_patient(patient, case):
            raise CaseError(
                f"{subject_of(case)} in {dataset} is the patient {patient}, and {case} would be as "
                "well; rename the case, or name another dataset"
            )


def check_no_mask_of_others(
    segmentation: Segmentation,
    dataset: Path,
    session: str = "",
    outdated: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Check that a dataset holds no mask of other images under the labels of a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
    dataset : Path
    session : str
        As in `bids_paths`.
    outdated : mapping of str to str
        `images_of_mask` of the case's outdated mask elsewhere, whose copy here may be replaced.

    Raises
    ------
    CaseError
        If it does, such as of another visit without a session of its own.
    """
    path = bids_paths(segmentation.name, dataset, session)[0]
    recorded = images_of_mask(path)
    is_other = are_other_images(recorded, segmentation.made_of)
    if is_other and not share_an_image(recorded, outdated):
        raise CaseError(
            f"{path} is a mask of other images than those of {segmentation.name}, such as of "
            "another visit without a session of its own, or of another patient with the same "
            "subject label; delete it to have it replaced",
            Remedy(
                Action.NAME_SESSION,
                session=""
                if session
                else _visit_of_folder(segmentation.name, segmentation.sources),
            ),
        )


def _visit_of_folder(case: str, sources: Sequence[Path]) -> str:
    """The session label of the visit that the folder of images states, and their name does not."""
    if visit_in_name(case) or not sources:
        return ""
    return session_label(stated_visit(case, sources[0].absolute().parent))
