"""Settings of a cohort run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cohort.parts import WHOLE, Part
from smalltumor.labels.schemes import DEFAULT_SCHEME

if TYPE_CHECKING:
    from smalltumor.inference.fallback import BackendName


@dataclass(frozen=True)
class CohortSettings:
    """What is written for each case, and how the network runs.

    Parameters
    ----------
    output : Path
        Folder of the results, see `ResultsFolder`; outside the folder of the cases.
    scheme : str
        Label scheme of the masks.
    regions : bool
        Write the region masks ``CASE_et.nii.gz`` and so on as well.
    device : str
    backend : {"auto", "torch", "openvino"}
    flips : bool
        As for `smalltumor.segment`.
    overwrite : bool
        Segment cases again whose masks exist.
    allow_missing : bool
        Segment cases that lack T1, T2 or FLAIR, with weights that were trained with modality
        dropout; otherwise such a case fails.
    bids : Path, optional
        BIDS derivative dataset to which the masks are written as well.
    authors : tuple of str
        Authors of this dataset, if it is new.
    candidates : bool
        Write the label images ``CASE_candidates.nii.gz`` as well.
    parquet : bool
        Write the tables of all cases and lesions as Parquet as well.
    data : Path, optional
        Folder of the cases, recorded so that their results can be shown with their images.
    part : Part
        Which part of a cohort the cases are; a folder holds one part.
    cases_digest : str
        `Part.cases_digest` of the cases that were dealt out, so that a part's folder is not
        continued after cases were added; empty for a whole cohort, which may grow.
    """

    output: Path
    scheme: str = DEFAULT_SCHEME
    regions: bool = False
    device: str = "auto"
    backend: BackendName = "auto"
    flips: bool = False
    overwrite: bool = False
    allow_missing: bool = False
    bids: Path | None = None
    authors: tuple[str, ...] = ()
    candidates: bool = False
    parquet: bool = False
    data: Path | None = None
    part: Part = WHOLE
    cases_digest: str = ""
