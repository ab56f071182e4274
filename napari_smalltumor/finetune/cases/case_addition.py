"""Adding the case in the viewer to a training folder, with its masks as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import LabelError, SmalltumorError
from smalltumor.training.data.collected_case import CaseFolder, case_folder_name
from smalltumor.training.data.dataset_folder import add_case

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.finetune.cases.training_masks import (
    check_regions,
    is_as_segmented,
    mask_layers,
    mask_to_add,
)
from napari_smalltumor.finetune.runs_folder import is_training
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.viewer import Viewer

_AS_SEGMENTED = (
    "The masks of {} were added as the network made them, without an edit. Training repeats that "
    "network's errors, and a Dice against the masks does not show them."
)

_NO_CORRECTIONS = (
    " Those in the viewer are as a network made them. Those in the folder may hold corrections, "
    "which would be lost."
)
_IN_TRAINING = (
    " A network is being trained on the folder. It keeps the masks that it started with, and its "
    "training cannot be resumed if this case validates."
)


@dataclass(frozen=True, eq=False)
class Addition:
    """A case that is to be added, whose masks and title no longer change with the viewer.

    Parameters
    ----------
    case : Case
    title : str
        Of the case, for the user.
    target : CaseFolder
        The folder that it has or gets.
    mask : Segmentation
        On the case's grid.
    mark_exported : callable
        Ends the autosave of a label volume, which *Save* does not write. Regions count as saved
        only beside the images, where they are found again.
    """

    case: Case
    title: str
    target: CaseFolder
    mask: Segmentation
    mark_exported: Callable[[], None]

    def add(self, folder: Path, *, link: bool, ended: Callable[[], None]) -> None:
        """Add the case in a thread, and say so or why not; then call `ended`.

        Parameters
        ----------
        folder : Path
            The training folder.
        link : bool
            Link to the images instead of copying them.
        ended : callable
        """
        name, replace = self.target.path.name, self.target.exists

        def work() -> None:
            add_case(
                folder,
                self.case,
                self.mask.classes,
                made_by=self.mask.made_by,
                name=name,
                link=link,
                replace=replace,
            )

        def done(result: None) -> None:
            self.mark_exported()
            renamed = "" if name == case_folder_name(self.case) else f" as {name}"
            if replace:
                notify.info(f"The masks of {self.title} in {folder / name} were replaced")
            else:
                notify.info(f"{self.title} was added to {folder}{renamed}")
            if is_as_segmented(self.mask):
                notify.warn(_AS_SEGMENTED.format(self.title))
            ended()

        def failed(error: Exception) -> None:
            notify.report_error(error)
            ended()

        # Even if the dock is closed meanwhile, the case is added.
        application = QApplication.instance()
        run_in_thread(work, application, done, failed, name=f"adding {self.title}")


def addition_of(viewer: Viewer, parent: QWidget, case: Case, target: CaseFolder) -> Addition | None:
    """The addition of a case with its masks as they are now; None if it cannot or must not be.

    Parameters
    ----------
    viewer : Viewer
    parent : QWidget
        Of the questions.
    case : Case
    target : CaseFolder
        The folder that it has or gets.
    """
    title = case_title(viewer, case)
    try:
        check_regions(viewer, case)
    except LabelError as error:
        notify.report_error(error)
        return None
    try:
        mask = mask_to_add(viewer, case)
    except SmalltumorError as error:
        notify.report_error(error)
        return None
    # Together with the mask: while a question is open, scripts and other windows may edit.
    autosave = ensure_autosave(viewer).autosave
    volumes = [layer for layer in mask_layers(viewer, case) if region_of(layer) is None]
    checksums = autosave.checksums(volumes)
    if not _confirm_addition(parent, title, target, mask):
        return None
    if not confirm_regions(parent, viewer, case, "Add anyway"):
        return None
    return Addition(
        case,
        title,
        target,
        mask,
        mark_exported=partial(autosave.mark_exported, checksums),
    )


def _confirm_addition(parent: QWidget, title: str, target: CaseFolder, mask: Segmentation) -> bool:
    if target.why_not:
        notify.error(f"{target.why_not}.")
        return False
    if not target.exists:
        return True
    text = (
        f"{title} is already in the training folder. Replace its masks with the masks in the "
        "viewer?"
    )
    if is_as_segmented(mask):
        text += _NO_CORRECTIONS
    if is_training(target.path.parent):
        text += _IN_TRAINING
    return questions.confirm(parent, "Replace masks?", text, "Replace")
