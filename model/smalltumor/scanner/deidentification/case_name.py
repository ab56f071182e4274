"""The name that is proposed for the case of a scan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.file_names import folder_name, parse_name
from smalltumor.data.naming.visit_names import is_visit_name
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.files.names import safe_name
from smalltumor.scanner.deidentification.patient_names import plain_letters, two_letters
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study
from smalltumor.scanner.volume_names import without_sequence

_TELLS_NOTHING = frozenset(
    (
        *("dicom", "dicoms", "dcm", "image", "images", "mr", "mri", "scan", "scans", "raw"),
        *("nifti", "nii", "anat", "converted", "preprocessed", "registered"),
    )
)
"""Names of folders that many patients have; the folder above is named after the patient."""

_MIN_ID_LENGTH = 3
"""Characters of an ID that is looked for within a name; shorter ones are in too many."""

_MIN_JOINED_LENGTH = 4
"""Letters of surname and given name that are looked for within a name."""

_MIN_VOLUMES = 2
"""One name alone does not tell which of its words are those of the patient."""

_DIGITS_OF_HASH = 8
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def proposed_name(folder: Path, studies: Sequence[Study], study: Study | None) -> str:
    """A name for the case of a study, which becomes part of the names of files.

    It is what the names of its volumes have in common, such as ``Anna`` of ``Anna_t1.nii.gz``, if
    this is more than words of images, else the name of the folder; with number and date of one of
    several studies. If the headers say that this names the patient, or if it is that of a visit,
    such as ``2026-03-12``, which many patients have, it is that of `neutral_name` instead.

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
    name = _name_of_volumes(study) or name
    if is_visit_name(name) or names_patient(name, study.series):
        return neutral_name(study)
    parts = [name]
    if len(studies) > 1:
        if len({each.patient for each in studies}) > 1:
            parts.append(f"study{list(studies).index(study) + 1}")
        parts.append(study.date)
    return safe_name("_".join(part for part in parts if part))


def _name_of_volumes(study: Study) -> str:
    """What the names of all volumes of a study say but for their sequences; empty if nothing."""
    chosen = assign(study.series).chosen.values()
    files = [series.location for series in chosen if is_image_name(series.location)]
    if len(files) < max(len(chosen), _MIN_VOLUMES):
        return ""
    words, *others = {without_sequence(path) for path in files}
    if others or {word.lower() for word in words} <= _TELLS_NOTHING:
        return ""
    cases = {parsed.case if (parsed := parse_name(path)) else "" for path in files}
    name = cases.pop() if len(cases) == 1 else ""
    return safe_name(name or "_".join(words))


def names_patient(name: str, series: Iterable[Series]) -> bool:
    """Whether a name has the patient's ID, or a part of the patient's name, by the headers.

    Recognised are words that are a part of the name, alone or joined; surname and given name
    joined, also with an initial for one of them; umlauts in each spelling; and IDs of three or more
    characters, without leading zeros. Nicknames, other scripts than those in the header, and dates
    of birth are not.
    """
    words, letters = _spellings(name), "".join(_words(name))
    for patient_id, patient_name in {one.identity for one in series if one.identity}:
        whole_id = "".join(_words(patient_id)).lstrip("0")
        if whole_id and (
            whole_id == letters.lstrip("0")
            or (len(whole_id) >= _MIN_ID_LENGTH and whole_id in letters)
        ):
            return True
        # Groups of a name are in several scripts.
        if any(_has_name(words, letters, group) for group in patient_name.split("=")):
            return True
    return False


def _has_name(words: set[str], letters: str, patient_name: str) -> bool:
    texts = (patient_name, two_letters(patient_name))
    if any({*_words(text), *_runs_of_letters(text)} & {*words, letters} for text in texts):
        return True
    pairs = [pair for text in texts for pair in permutations(_words(text), 2)]
    with_initial = {short for a, b in pairs for short in (a[0] + b, a + b[0])}
    joined = {a + b for a, b in pairs if min(len(a), len(b)) > 1 or not (a + b).isascii()}
    return bool(with_initial & words) or any(
        each in letters for each in joined if len(each) >= _MIN_JOINED_LENGTH or not each.isascii()
    )


def neutral_name(study: Study) -> str:
    """A name that tells nothing of the patient, and is the same for the same images.

    It is made of what no other patient has: the Study Instance UID or, without it, the Series
    Instance UIDs, or the file of T1CE. Names of folders and sessions are those of many patients.
    """
    uids = {s.study_uid for s in study.series} - {""} or {s.uid for s in study.series} - {""}
    content = " ".join(sorted(uids)).encode() if uids else _bytes_of_reference(study)
    return f"case_{hashlib.sha256(content).hexdigest()[:_DIGITS_OF_HASH]}"


def _bytes_of_reference(study: Study) -> bytes:
    reference = assign(study.series).chosen.get(REFERENCE, study.series[0])
    return b"".join(file.read_bytes() for file in reference.files)


def _spellings(text: str) -> set[str]:
    """The words of a text, umlauts as plain letters and as two: Muller and Mueller for Müller."""
    return {
        word
        for each in (text, two_letters(text))
        for word in (*_words(each), *_runs_of_letters(each))
    }


def _words(text: str) -> list[str]:
    return _WORD.findall(plain_letters(text))


def _runs_of_letters(text: str) -> list[str]:
    """The letters of words such as ``mueller2024``; those of ``t1`` would be in every name."""
    return [run for run in _LETTERS.findall(plain_letters(text)) if len(run) > 1]
