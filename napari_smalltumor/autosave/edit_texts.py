"""What the questions about edits say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.text import list_text

from napari_smalltumor.autosave.folder import UnrestorableEdits
from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.autosave.masks import key_of
from napari_smalltumor.case_data.moved_cases import has_review
from napari_smalltumor.case_data.records import CaseRecord, folder_of_images, images_of
from napari_smalltumor.layers.masks.brain_mask import brain_mask_of

if TYPE_CHECKING:
    from napari.layers import Layer


def not_saved_text(names: Iterable[str], layers: Iterable[Layer], saving: str = "saved") -> str:
    """That masks were not saved, and strokes on a brain mask not applied, with their names.

    Parameters
    ----------
    names : iterable of str
        Names of edited masks, for instance ``Pat ET``.
    layers : iterable of Layer
        The layers of the patient.
    saving : str
        What is said for saving.
    """
    brain = brain_mask_of(layers)
    names = list(names)
    applied = [name for name in names if brain is not None and name == brain.name]
    unsaved = [name for name in names if name not in applied]
    parts = [
        f"not {verb}: {', '.join(edited)}"
        for verb, edited in ((saving, unsaved), ("applied", applied))
        if edited
    ]
    return f"were {'; '.join(parts)}"


def readers_text(readers: Sequence[str], reader_now: str) -> str:
    """Who has made edits; empty if nobody was named, or the reader now has made all."""
    if list(readers) in ([], [reader_now]):
        return ""
    were = "reader was" if len(readers) == 1 else "readers were"
    now = f"is {reader_now}" if reader_now else "has no name"
    return (
        f"The {were} {list_text(readers)}; the reader {now} now. If you restore the edits and "
        "save the case as reviewed, the review names both: who made the edits, and who saved them."
    )


def moved_edits_text(record: CaseRecord, case: Case) -> str:
    """That edits of a case were made when its images lay at another place."""
    before, now = _places(record, case)
    text = f"They were made when its images were in {before}. The same images are in {now} now."
    if not has_review(record, case):
        return text
    return f"{text} Restoring them also restores the decisions on lesions of that time."


def unrestorable_edits_text(name: str, edits: UnrestorableEdits) -> str:
    """That edits of the name of a case are kept, and what must be done to restore them."""
    kept = f"Edits of {name} in {edits.folder} are kept, but"
    if edits.replaced is not None:
        return (
            f"{kept} {edits.replaced.name} holds something else now, so they cannot be restored. "
            "Put the earlier file back, or open the earlier image where it is now, to restore them."
        )
    if edits.is_open:
        return (
            f"{kept} they were made with other images than those that are open. Open the case as "
            "it was then to restore the edits."
        )
    return (
        f"{kept} its files are no longer there. Open the images where they are now, or move the "
        "files back, to restore the edits. A label file without images must be moved back."
    )


def unreadable_images_text(record: CaseRecord) -> str:
    """That edits or decisions are kept of the same images elsewhere, which cannot be read now."""
    return (
        f"Edits or decisions of {record.name} are kept for the same images in {record.folder}, "
        "which cannot be read now, so they cannot be restored. Repair or delete the images there."
    )


def moved_decisions_text(record: CaseRecord, case: Case, title: str) -> str:
    """That decisions on lesions are kept of the images of a case in another folder."""
    before, now = _places(record, case)
    return (
        f"Decisions on lesions of {title} were made when its images were in {before}. The same "
        f"images are in {now} now."
    )


def other_masks_text(names: Iterable[str]) -> str:
    """That edits were made on other masks than those that are open; empty without names.

    Parameters
    ----------
    names : iterable of str
        Names of the layers that have another mask now.
    """
    if not (layers := list(names)):
        return ""
    return (
        f"These edits were made on another mask: {', '.join(layers)} changed since, for example by "
        "the review of another reader. Restoring the edits undoes that change."
    )


def hidden_masks_text(names: Iterable[str]) -> str:
    """That masks from files are restored, and not shown; empty without names.

    Parameters
    ----------
    names : iterable of str
        Names of masks that regions hide.
    """
    if not (masks := list(names)):
        return ""
    return (
        f"{list_text(masks)}: edits of a mask from a file, such as an expert's, whose layer is "
        "hidden beside ET, TC and WT."
    )


def later_export_text(
    masks: Iterable[SavedMask], saved_at: float, exported_at: Mapping[str, float]
) -> str:
    """That saved masks are older than an export of the same layers; empty if they are not.

    Parameters
    ----------
    masks : iterable of SavedMask
    saved_at : float
        When they were saved, in seconds since the epoch.
    exported_at : mapping of str to float
        When each layer was last exported, by `layer_key`.
    """
    times = {mask.name: exported_at.get(key_of(mask.region, mask.name), 0.0) for mask in masks}
    later = {name: time for name, time in times.items() if time > saved_at}
    if not later:
        return ""
    last = f"{datetime.fromtimestamp(max(later.values())):%Y-%m-%d %H:%M}"
    return (
        f"These edits are older than the last export of {', '.join(later)}, on {last}. The "
        "exported file is not changed."
    )


def _places(record: CaseRecord, case: Case) -> tuple[Path, Path]:
    """The folders of the images of a record and of a case, or their files in one folder."""
    now = images_of(case)
    if record.folder != folder_of_images(now):
        return record.folder, folder_of_images(now)
    return next(iter(record.images.values())), next(iter(now.values()))
