"""Segmentations as a BIDS derivative dataset.

Follows BIDS 1.10, "Derivatives: imaging data types", section "Segmentations":
``sub-LABEL[/ses-LABEL]/anat/sub-LABEL[_ses-LABEL]_seg-tumor_dseg.nii.gz``, with the meaning of the
values in a table of the same name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smalltumor.data.bids_dataset import check_dataset, describe_dataset, json_text
from smalltumor.data.bids_names import bids_paths, masks_of_subject, session_label, subject_of
from smalltumor.data.identity.image_digests import (
    are_other_images,
    recorded_images,
    share_an_image,
)
from smalltumor.data.identity.patients import patient_of, same_patient
from smalltumor.data.identity.visits import stated_visit, visit_in_name
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import read_volume
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.atomic import check_output, check_output_folder, write_text
from smalltumor.files.replacement import write_together
from smalltumor.files.tables import csv_text
from smalltumor.files.unfinished_moves import undo_unfinished_moves
from smalltumor.labels.regions import CLASS_COLOURS, TissueClass
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES

_COLUMNS = ("index", "name", "abbreviation", "color")
_PATIENT = "Patient"
"""Key of the patient by the name of the case, to tell apart patients whose labels are the same."""
_CLASS_NAMES = {
    TissueClass.BACKGROUND: ("Background", "BG"),
    TissueClass.NCR: ("Necrotic and non-enhancing tumour core", "NCR"),
    TissueClass.ED: ("Peritumoural edema", "ED"),
    TissueClass.ET: ("Enhancing tumour", "ET"),
}


def write_bids(
    segmentation: Segmentation,
    dataset: Path,
    *,
    scheme: str = DEFAULT_SCHEME,
    authors: Sequence[str] = (),
    session: str = "",
    overwrite: bool = False,
    other_images: bool = False,
) -> list[Path]:
    """Write a segmentation to a BIDS derivative dataset, which is created if it does not exist.

    Parameters
    ----------
    segmentation : Segmentation
    dataset : Path
        Folder of the dataset, such as ``derivatives/smalltumor``.
    scheme : str
        Name of the label scheme of the values.
    authors : sequence of str
        Authors of a new dataset; by default those of the dataset of the images.
    session : str
        The session, as in `bids_paths`.
    overwrite : bool
        Whether the segmentation of the same subject and session may be replaced.
    other_images : bool
        Whether it may be so if it was made of other images.

    Returns
    -------
    list of Path
        The image, its description and its table.

    Raises
    ------
    CaseError
        If no subject can be named after the case, or the segmentation to be replaced was made of
        other images.
    OutputError
        If the folder is another dataset, one of other authors or holds other files, or a file
        exists or cannot be written.
    """
    image, sidecar, table = paths = check_bids(
        segmentation.name,
        dataset,
        authors=authors,
        session=session,
        overwrite=overwrite,
        sources=segmentation.sources,
    )
    if not other_images:
        check_images(segmentation, dataset, session)
    try:
        image.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{image.parent} cannot be made: {error.strerror or error}") from error
    describe_dataset(dataset, segmentation.sources, authors)
    description = json_text(_sidecar(segmentation))
    meanings = csv_text(_COLUMNS, _table(SCHEMES[scheme].values), delimiter="\t")
    write_together(
        {
            sidecar: partial(write_text, content=description),
            table: partial(write_text, content=meanings),
            image: partial(write_segmentation, segmentation, scheme=scheme),
        },
        overwrite=overwrite,
    )
    return paths


def check_images(
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


def images_of_mask(path: Path) -> dict[str, str]:
    """The digests that a mask records; empty if it records none or cannot be read."""
    if not path.exists():
        return {}
    try:
        return recorded_images(read_volume(path))
    except CaseError:
        return {}


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
        The files of `write_bids`.

    Raises
    ------
    CaseError, OutputError
        As `write_bids`.
    """
    check_output_folder(dataset)
    check_dataset(dataset, authors)
    paths = bids_paths(case, dataset, session)
    _check_patient(case, dataset)
    check_output_folder(paths[0].parent)
    undo_unfinished_moves(paths[0].parent)
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


def _visit_of_folder(case: str, sources: Sequence[Path]) -> str:
    """The session label of the visit that the folder of images states, and their name does not."""
    if visit_in_name(case) or not sources:
        return ""
    return session_label(stated_visit(case, sources[0].absolute().parent))


def _check_patient(case: str, dataset: Path) -> None:
    """Check that the subject of a case is not another patient in a dataset.

    Labels have letters and digits only, so that ``PAT_1_12`` and ``PAT_11_2`` have the same. What
    was written before patients were recorded tells nothing.
    """
    for mask in masks_of_subject(case, dataset):
        sidecar = mask.with_name(mask.name.removesuffix(".nii.gz") + ".json")
        try:
            patient = json.loads(sidecar.read_text(encoding="utf-8")).get(_PATIENT)
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(patient, str) and not same_patient(patient, case):
            raise CaseError(
                f"{subject_of(case)} in {dataset} is the patient {patient}, and {case} would be as "
                "well; rename the case, or name another dataset"
            )


def _sidecar(segmentation: Segmentation) -> Mapping[str, Any]:
    run = segmentation.run
    content: dict[str, Any] = {
        "Description": "Classes of tumour tissue, on the grid of the T1-weighted image with "
        "contrast agent",
        "SpatialReference": "orig",
        _PATIENT: patient_of(segmentation.name),
    }
    if segmentation.made_by is not None:
        content |= _makers(segmentation.made_by)
    if run is not None:
        content["MissingSequences"] = list(run.missing)
    return content


def _makers(made_by: MadeBy) -> Mapping[str, Any]:
    """What made a mask; BIDS has no word for one of a network that was edited."""
    if made_by.algorithm_type == "SEMIAUTOMATIC":
        content: dict[str, Any] = {"Edited": True}
    else:
        content = {"Manual": made_by.algorithm_type == "MANUAL"}
    known = {
        "Weights": made_by.weights,
        "WeightsSHA256": made_by.digest,
        "SoftwareVersion": made_by.version,
    }
    return content | {key: value for key, value in known.items() if value}


def _table(values: Iterable[int]) -> list[tuple[int, str, str, str]]:
    rows = []
    for tissue, value in zip(TissueClass, values, strict=True):
        red, green, blue = (round(255 * c) for c in CLASS_COLOURS.get(tissue, (0, 0, 0)))
        name, abbreviation = _CLASS_NAMES[tissue]
        rows.append((value, name, abbreviation, f"#{red:02X}{green:02X}{blue:02X}"))
    return rows
