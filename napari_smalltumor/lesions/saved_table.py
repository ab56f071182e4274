"""Copy the table of lesions, or save it as CSV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.data.identity.visits import folder_of
from smalltumor.errors import SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.files.tables import Cell
from smalltumor.lesions import Lesion, case_cells, csv_text, write_csv
from smalltumor.text import pluralize

from napari_smalltumor import notify, settings
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.export.file_names import with_ending
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.review.reviewed_lesions import reviewed
from napari_smalltumor.lesions.second_look.finder import CandidateFinder
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import name_for_files
from napari_smalltumor.patients.output_folder import output_folder

if TYPE_CHECKING:
    from napari_smalltumor.lesions.table.model import LesionsModel


@dataclass(frozen=True, eq=False)
class SavedTable:
    """The lesions of a dock with what was decided on them, to be copied and saved.

    Parameters
    ----------
    panel : LesionsPanel
    model : LesionsModel
    review : LesionReview
    candidates : CandidateFinder
    """

    panel: LesionsPanel
    model: LesionsModel
    review: LesionReview
    candidates: CandidateFinder

    @property
    def lesions(self) -> list[Lesion]:
        """Components of the mask, candidates, and candidates that were rejected."""
        first = max((x.id for x in self.model.lesions), default=0) + 1
        others = [*self.review.candidates, *self.candidates.rejected]
        return [*self.model.lesions, *(replace(x, id=n) for n, x in enumerate(others, first))]

    def copy(self) -> None:
        """Copy the selected rows, or all rows, with all columns as tab-separated text."""
        rows = self.panel.selected_rows()
        lesions = self.model.lesions_at(rows) if rows else self.lesions
        text = csv_text(reviewed(self.review, lesions), "\t", self._case_cells)
        QGuiApplication.clipboard().setText(text)
        self.panel.show_message(f"Copied {pluralize(len(lesions), 'row')}")

    def ask_and_save(self) -> None:
        """Ask for a file and save the table, with all specks, as CSV."""
        source, viewer = self.review.source, self.review.viewer
        name = f"{self._name_for_files}_{self.review.region.value}_lesions.csv"
        # as they are now, whatever changes while the dialog is open
        lesions = reviewed(self.review, self.lesions)
        patient = active_patient(viewer).current if source is None else source.patient
        folder = output_folder(viewer, patient)
        title = (
            f"Save lesions of {self.review.segmentation.title}"
            if source is not None
            else "Save lesions"
        )
        of_case = self._case_cells
        try:
            path = ask_for_table(self.panel, title, folder / name)
            if path is None or (
                patient is not None
                and not confirm_other_patients_file(self.panel, viewer, patient, path, "lesions")
            ):
                return
            replacement = f"the lesions of {self.review.segmentation.title}"
            destination = Destination.confirmed(self.panel, path, replacement)
            if destination is None:
                return
            write_csv(lesions, path, of_case, overwrite=destination.overwrite)
        except SmalltumorError as error:
            notify.report_error(error)
            return
        settings.remember_folder(path, saving=True)
        self.panel.show_message(f"Saved {path.name}")

    @property
    def _name_for_files(self) -> str:
        source = self.review.source
        if source is None:
            return "case"
        if source.case is None:
            return safe_name(self.review.segmentation.title)
        return name_for_files(self.review.viewer, source.case)

    @property
    def _case_cells(self) -> dict[str, Cell]:
        """The case and its visit, which are columns of the table."""
        source = self.review.source
        case = source.case if source is not None else None
        return case_cells(case.name, folder_of(case)) if case is not None else {}


def ask_for_table(parent: QWidget, title: str, start: Path) -> Path | None:
    """Ask for a file, proposing one; None if the user cancels.

    Raises
    ------
    OutputError
        If the name is that of another kind of file.
    """
    chosen, _ = QFileDialog.getSaveFileName(
        *(parent, title, str(start), "CSV (*.csv)"),
        options=QFileDialog.Option.DontConfirmOverwrite,  # asked of the completed name
    )
    return with_ending(Path(chosen), (".csv",), "a table") if chosen else None
