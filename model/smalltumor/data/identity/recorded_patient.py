"""The patient that the description of a mask in a BIDS dataset names."""

from __future__ import annotations

import json
from pathlib import Path

from smalltumor.data.volumes.nifti import stem
from smalltumor.files.damaged import DAMAGED

PATIENT_KEY = "Patient"
"""Key of the patient by the name of the case, to tell apart patients whose labels are the same."""


def recorded_patient(mask: Path) -> str:
    """The patient of a mask; empty if the file beside it does not tell."""
    sidecar = mask.with_name(f"{stem(mask)}.json")
    try:
        patient = json.loads(sidecar.read_text(encoding="utf-8")).get(PATIENT_KEY)
    except (OSError, *DAMAGED):
        return ""
    return patient if isinstance(patient, str) else ""
