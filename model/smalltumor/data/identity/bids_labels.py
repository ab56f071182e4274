"""The BIDS labels of a case: letters and digits of the names of its patient and its visit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from smalltumor.data.identity.patients import patient_of, same_patient
from smalltumor.data.identity.recorded_patient import recorded_patient
from smalltumor.data.identity.visits import visit_in_name
from smalltumor.files.names import name_key


class BidsLabels(NamedTuple):
    """Labels of a case; two cases may have the same, such as ``PAT_1_12`` and ``PAT_11_2``.

    Parameters
    ----------
    subject : str
        Empty if the name of the case has no letters and digits.
    session : str
        Empty if the name states no visit.
    """

    subject: str
    session: str

    @property
    def key(self) -> tuple[str, str]:
        """The labels, to be compared with others."""
        return name_key(self.subject), name_key(self.session)


def bids_labels(case: str, session: str = "") -> BidsLabels:
    """The labels of a case.

    The patient of the case, see `patient_of`, is the subject, and the rest of the name the session.

    Parameters
    ----------
    case : str
    session : str
        The session, such as the name of a visit; by default what the case's name states.
    """
    entities = {part[:4].lower(): part[4:] for part in reversed(case.split("_"))}
    subject, visit = patient_of(case), visit_in_name(case)
    if is_bids_name(case):
        subject, visit = entities["sub-"], entities.get("ses-", visit)
    return BidsLabels(_alphanumeric(subject), session_label(session) or _alphanumeric(visit))


def is_bids_name(case: str) -> bool:
    """Whether the name of a case consists of BIDS entities."""
    return case.lower().startswith("sub-")


def session_label(text: str) -> str:
    """The letters and digits of the name of a visit: ``20210315`` of ``2021-03-15``."""
    return _alphanumeric(text.removeprefix("ses-"))


def may_be_of_patient(mask: Path, case: str) -> bool:
    """Whether the description of a mask names no other patient than that of a case.

    The labels of the mask and of the case are the same, or `case` is a name of BIDS.
    """
    patient = "" if is_bids_name(case) else recorded_patient(mask)
    return not patient or same_patient(patient, case)


def labels_of_mask(mask: Path, named: str, case: str) -> BidsLabels | None:
    """The labels in the name of a mask, if its subject is the patient of a case that has none.

    Parameters
    ----------
    mask : Path
    named : str
        The case that its name states.
    case : str
        Another name, such as ``UPENN-GBM-00003_11`` for ``sub-UPENNGBM00003_ses-11``.
    """
    if not is_bids_name(named) or is_bids_name(case):
        return None
    labels, own = bids_labels(named), bids_labels(case)
    is_of_patient = labels.subject and labels.key[0] == own.key[0]
    return labels if is_of_patient and may_be_of_patient(mask, case) else None


def _alphanumeric(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", normalize("NFC", text))
