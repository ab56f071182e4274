"""The name that is proposed for the case of a scan."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from smalltumor.data.naming.file_names import folder_name
from smalltumor.files.names import safe_name
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study

_TELLS_NOTHING = frozenset(
    ("dicom", "dicoms", "dcm", "image", "images", "mr", "mri", "scan", "scans", "raw", "nifti")
)
"""Names of folders that many patients have; the folder above is named after the patient."""

_SHORTEST_NAME = 3
"""Letters of a part of a patient's name; shorter ones are in too many names of folders."""

_DIGITS_OF_HASH = 8
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WORD = re.compile(r"[^\W_]+")


def proposed_name(folder: Path, studies: Sequence[Study], study: Study | None) -> str:
    """A name for the case of a study, which becomes part of the names of files.

    It is that of the folder, with number and date of one of several studies. If the headers say
    that the folder is named after the patient, it is made of the study's UID instead: the same at
    each preparation, and of no one's name.

    Parameters
    ----------
    folder : Path
        The scan.
    studies : sequence of Study
        Those of the folder.
    study : Study, optional
        The one of which the case is made.
    """
    name = folder_name(folder)
    if name.lower() in _TELLS_NOTHING:
        name = folder_name(folder.absolute().parent)
    if study is None:
        return name
    if names_patient(name, study.series):
        return neutral_name(study)
    parts = [name]
    if len(studies) > 1:
        if len({each.patient for each in studies}) > 1:
            parts.append(f"study{list(studies).index(study) + 1}")
        parts.append(study.date)
    return safe_name("_".join(part for part in parts if part))


def names_patient(name: str, series: Iterable[Series]) -> bool:
    """Whether a name has the patient's ID, or a part of the patient's name, by the headers."""
    words, letters = _spellings(name), "".join(_words(name))
    for patient_id, patient_name in {one.identity for one in series if one.identity}:
        whole_id = "".join(_words(patient_id))
        parts = {word for word in _spellings(patient_name) if len(word) >= _SHORTEST_NAME}
        if (len(whole_id) >= _SHORTEST_NAME and whole_id in letters) or parts & words:
            return True
    return False


def neutral_name(study: Study) -> str:
    """A name that tells nothing of the patient, and is the same for the same study."""
    text = study.study or " ".join(sorted(series.uid for series in study.series))
    return f"case_{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS_OF_HASH]}"


def _spellings(text: str) -> set[str]:
    """The words of a text, umlauts as plain letters and as two: Muller and Mueller for Müller."""
    return {*_words(text), *_words(unicodedata.normalize("NFC", text).lower().translate(_UMLAUTS))}


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _WORD.findall(plain.lower())
