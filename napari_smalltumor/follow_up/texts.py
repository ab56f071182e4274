"""What the Follow-up dock says of the comparison of the active patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.follow_up.comparison import Comparison
from napari_smalltumor.follow_up.comparison_runs import ComparisonRuns
from napari_smalltumor.follow_up.earlier_layers import contours_are_earlier, has_reference
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.viewer import Viewer

_CHANGED = "The regions have changed since they were compared with {}; compare again."
_EARLIER_CHANGED = "The mask files of {} have changed since they were compared; compare again."
_IMAGES_CHANGED = "The image files of {} have changed since they were compared; compare again."
_OPEN = "{} is open too; its mask here is that of the file, not its regions in the window."
_SEGMENT_FIRST = "Segment the case to compare it with an earlier scan"
_HOW_TO_COMPARE = (
    "Choose the folder of an earlier scan of this patient, with its mask. The scans are "
    "registered, and the lesions are listed: new, grown, shrunk and gone ones."
)
_EARLIER_SHOWN = "The earlier scan is shown; the regions are those of the current scan."


def state_text(
    viewer: Viewer, runs: ComparisonRuns, *, is_old: bool, earlier_is_shown: bool
) -> str:
    """What runs, what the regions were compared with, and what is to be known of that, in lines.

    Parameters
    ----------
    viewer : Viewer
    runs : ComparisonRuns
    is_old : bool
        `ComparisonRuns.is_old`, which takes a look at all voxels.
    earlier_is_shown : bool
        Whether the images show the earlier scan.
    """
    comparison = runs.current
    lines = [runs.running_text, runs.outcome or _next_step(viewer, runs)]
    if comparison is not None:
        compared = changed_text(comparison) if is_old else _compared_with(viewer, comparison)
        lines += [compared, _open_earlier(viewer, comparison)]
    lines.append(_EARLIER_SHOWN if earlier_is_shown else "")
    return "\n".join(filter(None, lines))


def changed_text(comparison: Comparison) -> str:
    """What has changed since the scans were compared; the images or mask of the earlier first."""
    if comparison.images_have_changed:
        text = _IMAGES_CHANGED
    else:
        text = _EARLIER_CHANGED if comparison.mask_has_changed else _CHANGED
    return text.format(comparison.title)


def _next_step(viewer: Viewer, runs: ComparisonRuns) -> str:
    """What is to be done before there is a comparison; empty if there is one, or one runs."""
    if runs.busy or runs.current is not None:
        return ""
    return _HOW_TO_COMPARE if case_to_export(viewer) is not None else _SEGMENT_FIRST


def _compared_with(viewer: Viewer, comparison: Comparison) -> str:
    patient = active_patient(viewer).current
    contours = (
        "shown as the reference"
        if contours_are_earlier(viewer, patient)
        else "not shown, but those of another reference"
        if has_reference(viewer, patient)
        else "not shown"
    )
    return (
        f"Compared with {comparison.title}. Its contours are {contours}. "
        f"Its mask: {comparison.mask}."
    )


def _open_earlier(viewer: Viewer, comparison: Comparison) -> str:
    """That the mask of the earlier scan is still that of its file, if its regions are open."""
    is_open = comparison.has_open_regions(viewer.layers) and not comparison.mask_has_changed
    return _OPEN.format(comparison.title) if is_open else ""
