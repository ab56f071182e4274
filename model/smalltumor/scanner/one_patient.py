"""What speaks against series being of one patient at one time, and what is not known of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.scanner.acquisition_time import MAX_STUDY_DAYS, day_of_time
from smalltumor.scanner.deidentification.patient_names import spellings
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Series
from smalltumor.scanner.volume_names import differ_only_in_sequence
from smalltumor.scanner.volume_studies import folder_of_session, names_subject
from smalltumor.text import list_text

_DATE = re.compile(r"(?:19|20)\d{6}")
_UNKNOWN_DATE = "19000101"


def study_warnings(series: Sequence[Series]) -> Iterator[ScanWarning]:
    """What speaks against the series of one study being of one patient at one time."""
    yield from contradictions(series)
    yield from _days_between(series)
    yield from _other_frames_of_reference(series)
    yield from _missing_evidence(series)


def contradictions(series: Sequence[Series]) -> Iterator[ScanWarning]:
    """Warnings about names, dates of birth and sexes that differ although one ID is given."""
    names = {s.identity[1].strip() for s in series if s.identity is not None}
    named = sorted({*spellings(names).values()} - {""})
    if len(named) > 1:
        names_told = Identifying(f": {list_text(named)}")
        text = f"the headers name {len(named)} patients with one ID"
        yield ScanWarning((text, names_told, "; check that they are one"))
    births = {s.birth_date for s in series if _DATE.fullmatch(s.birth_date)} - {_UNKNOWN_DATE}
    if len(births) > 1:
        text = f"the headers give {len(births)} dates of birth; check that the patient is one"
        yield ScanWarning((text,))
    if {s.sex for s in series} >= {"F", "M"}:
        yield ScanWarning(("the headers give two sexes; check that the patient is one",))


def _days_between(series: Sequence[Series]) -> Iterator[ScanWarning]:
    """A warning if the series of one study were acquired on days that lie apart."""
    days = sorted(day for s in series if (day := day_of_time(s.acquisition.time)) is not None)
    if days and (days[-1] - days[0]).days > MAX_STUDY_DAYS:
        text = f"by the headers, the series were acquired within {(days[-1] - days[0]).days} days"
        yield ScanWarning((text, "; check that they are of one visit"))


def _other_frames_of_reference(series: Sequence[Series]) -> Iterator[ScanWarning]:
    """A warning about series without a patient that were acquired in another position than others.

    Anonymisation may give the scans of several patients one ID and one study. A patient who is
    named may have got up in between.
    """
    placed = [
        s for s in series if s.frame_of_reference and classify(s.acquisition).sequence is not None
    ]
    if not placed:
        return
    ((usual, _),) = Counter(s.frame_of_reference for s in placed).most_common(1)
    others = [s.title for s in placed if s.frame_of_reference != usual and not s.patient]
    if others:
        verb = "has" if len(others) == 1 else "have"
        text = f"the headers name no patient, and {list_text(others)} {verb} another frame of"
        yield ScanWarning(
            (text, " reference than other series; check that they are of one patient")
        )


def _missing_evidence(series: Sequence[Series]) -> Iterator[ScanWarning]:
    """What nothing shows although it is assumed: that series are of one patient at one time."""
    without_study = [s.title for s in series if s.frames and not s.study_uid]
    if without_study and len(series) > 1:
        text = f"the headers of {', '.join(without_study)} name no study"
        yield ScanWarning((text, "; check that they are of one patient at one time"))
        return
    unstated = [
        s
        for s in series
        if not (s.frames or s.study_uid or names_subject(s.location))
        and classify(s.acquisition).sequence is not None
    ]
    if not differ_only_in_sequence(s.location for s in unstated):
        names = Identifying(": " + ", ".join(s.location.name for s in unstated))
        have_patient = all(s.patient for s in unstated)
        what = "were acquired at one time" if have_patient else "are of one patient"
        text = f"names and headers do not show that {len(unstated)} files {what}"
        yield ScanWarning((text, names))
        return
    volumes = (s.location for s in series if not (s.frames or s.study_uid))
    folders = {folder_of_session(path) for path in volumes}
    if len(folders) > 1:
        text = f"the files of {len(folders)} folders are taken as one patient at one time"
        yield ScanWarning((text,))


def other_visits(chosen: Mapping[str, Series]) -> Iterator[ScanWarning]:
    """Warnings about series of another study than that of T1CE, which the user named.

    Parameters
    ----------
    chosen : mapping of str to Series
        By modality.
    """
    reference = chosen.get(REFERENCE)
    if reference is None or not reference.study:
        return
    for modality, series in chosen.items():
        if series.study and series.study != reference.study:
            yield ScanWarning(
                (
                    f"{MODALITY_TITLES[modality]}: {series.title} is of another study",
                    Identifying(f" ({series.study_title})"),
                    f" than {MODALITY_TITLES[REFERENCE]}",
                    Identifying(f" ({reference.study_title})"),
                    "; check that nothing changed between them",
                )
            )
