"""A row of a cohort's table."""

from __future__ import annotations

from collections import Counter
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from smalltumor.errors import CaseError, Remedy, SmalltumorError
from smalltumor.files.tables import Cell, separated, whole_number
from smalltumor.labels.regions import Region
from smalltumor.text import table_ml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import Lesion

Outcome = Literal["segmented", "kept", "failed"]

_NOT_IN_TABLE = {"in_table": False}


@dataclass(frozen=True)
class CohortRow:
    """One case of a cohort, as in its table.

    Parameters
    ----------
    case : str
    outcome : {"segmented", "kept", "failed"}
        Kept: the mask existed, and the numbers are those of it.
    et_ml, tc_ml, wt_ml : float or None
        Volumes of the regions in ml; None if it failed.
    et_components, et_small : int or None
        Number of components of enhancing tumour, and of those below `SMALL_LESION_MM3`.
    seconds : float or None
        Wall time of the segmentation, without reading.
    weights : str
        Name of the checkpoint.
    note : str
        Why it failed, or what was added to a kept mask.
    warnings : str
        Reasons to doubt the mask, from when it was made, see `smalltumor.files.tables.joined`.
    digest : str
        Of the checkpoint, see `smalltumor.models.checkpoint.Checkpoint`.
    version : str
        Of this package, when the mask was made.
    device, backend : str
        On which the network ran.
    missing : str
        Modalities that the network was trained on and did not see, separated by spaces.
    participant_id, session_id : str
        BIDS labels of the case, such as ``sub-P1``, to join other tables by; empty if its name
        gives none.
    expected_dice_et, expected_dice_tc, expected_dice_wt : float or None
        Of the network's mask, see `smalltumor.data.probabilities.expected_dice`; None of an empty
        region.
    remedy : Remedy or None
        What can be done about a failure; not in the table.
    """

    case: str
    outcome: Outcome
    et_ml: float | None = None
    tc_ml: float | None = None
    wt_ml: float | None = None
    et_components: int | None = None
    et_small: int | None = None
    seconds: float | None = None
    weights: str = ""
    note: str = ""
    warnings: str = ""
    digest: str = ""
    version: str = ""
    device: str = ""
    backend: str = ""
    missing: str = ""
    participant_id: str = ""
    session_id: str = ""
    expected_dice_et: float | None = None
    expected_dice_tc: float | None = None
    expected_dice_wt: float | None = None
    remedy: Remedy | None = field(default=None, metadata=_NOT_IN_TABLE)

    @property
    def expected_dice(self) -> float | None:
        """Mean over the regions that the network's mask has; None if it has none, or not known."""
        each = (self.expected_dice_et, self.expected_dice_tc, self.expected_dice_wt)
        known = [dice for dice in each if dice is not None]
        return sum(known) / len(known) if known else None

    @property
    def warning_list(self) -> tuple[str, ...]:
        """The warnings one by one."""
        return separated(self.warnings)

    def with_expected_dice(self, by_region: Mapping[str, float | None]) -> CohortRow:
        """The row with what is expected of each region, by its name; of others nothing."""
        et, tc, wt = (by_region.get(region.value) for region in Region)
        return replace(self, expected_dice_et=et, expected_dice_tc=tc, expected_dice_wt=wt)

    def cells(self) -> tuple[Cell, ...]:
        """A cell for each of `COLUMNS`."""
        return tuple(getattr(self, column) for column in COLUMNS)

    @classmethod
    def from_cells(cls, cells: Mapping[str, str]) -> CohortRow:
        """The row of cells by column, as read from a table; columns that are absent are empty.

        Raises
        ------
        ValueError
            If a cell is not what its column holds.
        """
        if cells["outcome"] not in get_args(Outcome):
            raise ValueError(f"{cells['outcome']!r} is no outcome")
        return cls(**{col.name: _parsed(cells.get(col.name, ""), col) for col in table_fields()})


def table_fields() -> list[Field[Any]]:
    """The fields of a row that are columns of the table, in their order."""
    return [column for column in fields(CohortRow) if column.metadata != _NOT_IN_TABLE]


def _parsed(cell: str, column: Field[Any]) -> Any:
    kinds: dict[str, Callable[[str], Any]]
    kinds = {"float | None": float, "int | None": whole_number}
    kind = kinds.get(str(column.type))
    return cell if kind is None else kind(cell) if cell else None


COLUMNS = tuple(column.name for column in table_fields())


def numbers_of(
    mask: Segmentation, lesions: Sequence[Lesion]
) -> tuple[float, float, float, int, int]:
    """Volumes of ET, TC and WT, and the numbers of components and of small ones."""
    volumes = mask.volumes_ml()
    et, tc, wt = (table_ml(volumes[region]) for region in Region)
    return et, tc, wt, len(lesions), sum(lesion.is_small for lesion in lesions)


def participant_and_session(case: str) -> tuple[str, str]:
    """Participant and session of a case as in a BIDS dataset; empty where there is none."""
    from smalltumor.data.bids.names import bids_paths

    try:
        folders = bids_paths(case, Path())[0].parts[:-1]
    except CaseError:
        return "", ""
    return folders[0], next((part for part in folders if part.startswith("ses-")), "")


def cases_with_shared_labels(cases: Sequence[str], others: Iterable[str] = ()) -> frozenset[str]:
    """Cases whose BIDS labels another patient, or another case, has as well.

    Labels have letters and digits only, so that ``PAT_1_12`` and ``PAT_11_2`` have the same.

    Parameters
    ----------
    cases : sequence of str
        Of a run.
    others : iterable of str
        Cases of earlier runs and of other parts: tables may have the labels of their patients.
    """
    from smalltumor.data.identity.patients import same_patient

    labels = {case: participant_and_session(case) for case in cases}
    patients: dict[str, list[str]] = {}
    for case in (*cases, *others):
        patients.setdefault(participant_and_session(case)[0], []).append(case)
    count = Counter(labels.values())
    return frozenset(
        case
        for case, own in labels.items()
        if own[0]
        and (count[own] > 1 or not all(same_patient(case, each) for each in patients[own[0]]))
    )


def without_labels(row: CohortRow) -> CohortRow:
    """A row whose labels would be those of another patient or case as well."""
    text = f"no participant_id, because another case would be {row.participant_id} as well"
    note = "; ".join(filter(None, (row.note, text)))
    return replace(row, participant_id="", session_id="", note=note)


def failed(case: str, reason: str, remedy: Remedy | None = None) -> CohortRow:
    """The row of a case that could not be segmented."""
    participant, session = participant_and_session(case)
    return CohortRow(
        case,
        "failed",
        note=reason,
        participant_id=participant,
        session_id=session,
        remedy=remedy,
    )


def reason_of(error: Exception) -> str:
    """Why a case failed, in one line, whatever was raised."""
    if isinstance(error, SmalltumorError):
        return str(error)
    if isinstance(error, MemoryError):
        return str(error) or "out of memory"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
