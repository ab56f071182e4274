"""What is to be prepared: a study of a folder, and the series of each sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from smalltumor.data.case import REFERENCE
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES, modality_titles
from smalltumor.errors import Action, Remedy
from smalltumor.extras import MissingPackageError, missing_packages
from smalltumor.files.names import safe_name
from smalltumor.scanner.deidentification.case_name import proposed_name
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.sequences.selection import (
    Assignment,
    DescribedSeries,
    assign,
    reasons_of_user,
)
from smalltumor.scanner.series import Series
from smalltumor.scanner.source import Source, series_warnings, source_of
from smalltumor.scanner.studies import FolderContent, Study
from smalltumor.scanner.study_choice import study_with_reference
from smalltumor.text import list_text, pluralize

from napari_smalltumor.notify import error_text

SHOWN_ORDER = ("t1", "t1ce", "t2", "flair")

_NEEDED = ("SimpleITK", "deepbet")
_SHOWN_WARNINGS = 3


class Plan:
    """The study and series that a user chooses, starting from those that are recognised.

    Parameters
    ----------
    folder : Path
        The scan.
    content : FolderContent
        Its studies. If several have a T1CE, or they are of several patients, the user has to
        choose one.
    of_file : StudyOfFile, optional
        The study of the file that the user opened, which is chosen, and no other one.
    location : Path, optional
        The archive from which the folder was unpacked; by default the folder.
    case_name : str
        Name of the case, if it is known.
    """

    def __init__(
        self,
        folder: Path,
        content: FolderContent,
        location: Path | None = None,
        *,
        of_file: StudyOfFile | None = None,
        case_name: str = "",
    ) -> None:
        self.folder, self.location = folder, location or folder
        self._case_name = case_name
        self.studies = content.studies
        self.warnings = content.warnings
        self._study: Study | None = None
        self._recognised = self._assignment = Assignment(())
        self._decisions: tuple[tuple[Series, str | None], ...] = ()
        candidates = self.studies
        if of_file is not None:
            candidates = tuple(s for s in self.studies if of_file.holds_any(s.series))
        if len(candidates) == 1:
            self.choose_study(candidates[0])
        elif of_file is None and (usable := study_with_reference(candidates)) is not None:
            self.choose_study(usable)

    @property
    def study(self) -> Study | None:
        """The chosen study."""
        return self._study

    @property
    def series(self) -> list[DescribedSeries]:
        """The series of the study: first those that are used, then the others."""
        described = self._assignment.described()
        used = [d for m in SHOWN_ORDER for d in described if d.modality == m]
        return used + [d for d in described if d.modality is None]

    @property
    def chosen(self) -> Mapping[str, Series]:
        """The series in use, by modality."""
        return self._assignment.chosen

    def choose_study(self, study: Study) -> None:
        """Choose a study, with the series that are recognised in it."""
        self._study, self._decisions = study, ()
        self._recognised = self._assignment = assign(study.series)

    def use(self, series: Series, modality: str | None) -> None:
        """Use a series for a modality, instead of the one before; or for none.

        A series that lost its modality to another one is used again when the modality is free.
        """
        kept = [
            (s, m) for s, m in self._decisions if s is not series and (m is None or m != modality)
        ]
        is_recognised = modality is not None and self._recognised.chosen.get(modality) is series
        self._decisions = (*kept, *(() if is_recognised else ((series, modality),)))
        self._assignment = self._decided()

    def _decided(self) -> Assignment:
        """The series that are recognised, but as the user has decided."""
        found = self._recognised
        given = {m: s for s, m in self._decisions if m is not None}
        decided = [s for s, _ in self._decisions]
        chosen = {m: s for m, s in found.chosen.items() if not any(s is other for other in decided)}
        return replace(
            found,
            chosen={**chosen, **given},
            reasons={**found.reasons, **reasons_of_user(given, found.classified)},
        )

    @property
    def problem(self) -> str:
        """Why the study cannot be prepared, as a sentence; empty if it can."""
        if self._study is None:
            return "Choose one study: a case has the images of one patient at one time."
        for modality, series in self.chosen.items():
            if series.problem:
                title = MODALITY_TITLES[modality]
                return f"{series.title} cannot be used for {title}: {series.problem}."
        if REFERENCE not in self.chosen:
            reason = next((u for u in self._assignment.undecided if "T1CE" in u), "")
            return f"{_sentence(reason)} Choose the T1CE in the column Use as.".strip()
        return self._packages_problem()

    @property
    def note(self) -> str:
        """What the user should know before preparing, as sentences; may be empty."""
        missing = [m for m in MODALITIES if m not in self.chosen]
        texts = []
        if self._study is not None and missing and REFERENCE not in missing:
            texts.append(
                f"Without {modality_titles(missing)} results are less reliable. The shipped "
                "weights can segment the case; other weights only if they were trained with "
                "modality dropout."
            )
        shown = (
            *series_warnings(self._study, self._assignment),
            *self.warnings[:_SHOWN_WARNINGS],
        )
        texts += [_sentence(str(warning)) for warning in shown]
        more = len(self.warnings) - _SHOWN_WARNINGS
        if more > 0:
            texts.append(f"{pluralize(more, 'more warning')} will be in the record of the case.")
        return " ".join(text for text in texts if text)

    def source(self, name: str) -> Source:
        """The series to be prepared as a case of this name."""
        return source_of(name, self._study, self._assignment, self.warnings)

    @property
    def case_name(self) -> str:
        """A name for the case, as of `proposed_name` unless it is known."""
        if self._case_name:
            return safe_name(self._case_name)
        return proposed_name(self.folder, self.studies, self._study)

    def _packages_problem(self) -> str:
        missing = missing_packages(_NEEDED)
        if not missing:
            return ""
        verb = "is" if len(missing) == 1 else "are"
        error = MissingPackageError(
            f"Preparing a scan needs {list_text(missing)}, which {verb} not installed",
            Remedy(Action.INSTALL_RAW),
        )
        return _sentence(error_text(error))


def _sentence(text: str) -> str:
    """A part of a sentence as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
