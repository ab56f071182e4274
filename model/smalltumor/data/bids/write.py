"""Segmentations as a BIDS derivative dataset.

Follows BIDS 1.10, "Derivatives: imaging data types", section "Segmentations":
``sub-LABEL[/ses-LABEL]/anat/sub-LABEL[_ses-LABEL]_seg-tumor_dseg.nii.gz``, with the meaning of the
values in a table of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from smalltumor.data.bids.checks import check_bids, check_no_mask_of_others
from smalltumor.data.bids.dataset import describe_dataset, json_text
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.identity.recorded_patient import PATIENT_KEY
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.tables import csv_text
from smalltumor.files.transactions.replacement import write_together
from smalltumor.labels.regions import CLASS_COLOURS, TissueClass
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES, LabelScheme, with_classes

_COLUMNS = ("index", "name", "abbreviation", "color")
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
        check_no_mask_of_others(segmentation, dataset, session)
    try:
        image.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{image.parent} cannot be made: {error.strerror or error}") from error
    describe_dataset(dataset, segmentation.sources, authors)
    description = json_text(_sidecar(segmentation))
    written_in = with_classes(SCHEMES[scheme], segmentation.stored)
    meanings = csv_text(_COLUMNS, _table(written_in), delimiter="\t")
    write_together(
        {
            sidecar: partial(write_text, content=description),
            table: partial(write_text, content=meanings),
            image: partial(write_segmentation, segmentation, scheme=scheme),
        },
        overwrite=overwrite,
    )
    return paths


def _sidecar(segmentation: Segmentation) -> Mapping[str, Any]:
    content: dict[str, Any] = {
        "Description": "Classes of tumour tissue, on the grid of the T1-weighted image with "
        "contrast agent",
        "SpatialReference": "orig",
        PATIENT_KEY: patient_of(segmentation.name),
    }
    if segmentation.made_by is not None:
        content |= _makers(segmentation.made_by)
    return content


def _makers(made_by: MadeBy) -> Mapping[str, Any]:
    """What made a mask; BIDS has no word for one of a network that was edited."""
    content: dict[str, Any] = (
        {"Edited": True} if made_by.is_edited else {"Manual": made_by.is_manual}
    )
    known = {
        "Weights": made_by.weights,
        "WeightsSHA256": made_by.digest,
        "SoftwareVersion": made_by.version,
    }
    content |= {key: value for key, value in known.items() if value}
    return content if made_by.is_manual else content | {"MissingSequences": list(made_by.missing)}


def _table(scheme: LabelScheme) -> list[tuple[int, str, str, str]]:
    rows = []
    for tissue in scheme.known_classes:
        value = scheme.values[tissue]
        red, green, blue = (round(255 * c) for c in CLASS_COLOURS.get(tissue, (0, 0, 0)))
        name, abbreviation = _CLASS_NAMES[tissue]
        rows.append((value, name, abbreviation, f"#{red:02X}{green:02X}{blue:02X}"))
    return rows
