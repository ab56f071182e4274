"""Steps of a review that can be undone, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.verdicts import ReplacedDecisions, is_rejected
from napari_smalltumor.lesions.edits.changes import Change, undo
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True)
class Deletion:
    """Lesions that were deleted at once.

    Parameters
    ----------
    region : Region
        The region that they were components of.
    lesions : sequence of Lesion
    changes : sequence of Change
        Of the layers, innermost first.
    source : ViewerSegmentation
    accepted : mapping of Lesion to Signature
        The lesions that had been accepted, and by whom.
    replaced : ReplacedDecisions, optional
        The decisions on the lesions before.
    """

    region: Region
    lesions: Sequence[Lesion]
    changes: Sequence[Change]
    source: ViewerSegmentation
    accepted: Mapping[Lesion, Signature]
    replaced: ReplacedDecisions | None = None

    @property
    def is_in_effect(self) -> bool:
        """Whether the layers' own undo has not taken the deletion back."""
        return any(change.is_in_effect for change in self.changes)

    @property
    def layers(self) -> list[Labels]:
        """The layers that were changed."""
        return [change.layer for change in self.changes]

    def undo(self) -> None:
        """Restore the lesions in all layers, and what was decided on them."""
        undo(self.changes)
        if self.accepted:
            self.source.mark(self.region, self.accepted)
        _restore(self.replaced)


@dataclass(frozen=True)
class Acceptance:
    """Lesions that were accepted at once, or whose acceptance was taken back at once.

    Parameters
    ----------
    source : ViewerSegmentation
    region : Region
    before : mapping of Lesion to Signature or None
        Who had accepted each lesion whose mark was changed; None for nobody.
    accepted : bool
        What they were marked as.
    replaced : ReplacedDecisions, optional
        The decisions to add the lesions, which were taken back.
    """

    source: ViewerSegmentation
    region: Region
    before: Mapping[Lesion, Signature | None]
    accepted: bool
    replaced: ReplacedDecisions | None = None

    @property
    def lesions(self) -> Sequence[Lesion]:
        """The lesions whose mark was changed."""
        return list(self.before)

    @property
    def is_in_effect(self) -> bool:
        """Whether a lesion still has the mark."""
        return any(self.source.is_accepted(self.region, x) is self.accepted for x in self.lesions)

    @property
    def layers(self) -> list[Labels]:
        """The layer whose lesions were marked."""
        return [self.source.layers[self.region]]

    def undo(self) -> None:
        """Give the lesions the mark that they had before, and restore the decisions."""
        self.source.mark(self.region, self.before)
        _restore(self.replaced)


@dataclass(frozen=True)
class Addition:
    """A lesion that was added to enhancing tumour: a candidate, or a spot that was clicked.

    Parameters
    ----------
    source : ViewerSegmentation
    lesions : sequence of Lesion
        One.
    changes : sequence of Change
        Of the layers, innermost first.
    layers : sequence of Labels
        The layers that got voxels, also those to which nesting added them.
    replaced : ReplacedDecisions, optional
        The decisions on the lesion before.
    """

    source: ViewerSegmentation
    lesions: Sequence[Lesion]
    changes: Sequence[Change]
    layers: Sequence[Labels]
    replaced: ReplacedDecisions | None = None

    @property
    def is_in_effect(self) -> bool:
        """Whether the layers' own undo has not taken the addition back."""
        return any(change.is_in_effect for change in self.changes)

    def undo(self) -> None:
        """Take the voxels away again, and the decision back."""
        undo(self.changes)
        _restore(self.replaced)


@dataclass(frozen=True)
class Rejection:
    """Candidates that were rejected at once.

    Parameters
    ----------
    source : ViewerSegmentation
    lesions : sequence of Lesion
    replaced : ReplacedDecisions, optional
        The decisions on the candidates before.
    """

    source: ViewerSegmentation
    lesions: Sequence[Lesion]
    replaced: ReplacedDecisions | None = None

    @property
    def is_in_effect(self) -> bool:
        """Whether a candidate is still rejected."""
        return any(is_rejected(self.source.layers[Region.ET], x) for x in self.lesions)

    @property
    def layers(self) -> list[Labels]:
        """The layer beside whose lesions they were listed; it was not changed."""
        return [self.source.layers[Region.ET]]

    def undo(self) -> None:
        """List the candidates again."""
        _restore(self.replaced)


def _restore(replaced: ReplacedDecisions | None) -> None:
    if replaced is not None:
        replaced.restore()


Step = Deletion | Acceptance | Addition | Rejection


class StepHistory:
    """The steps of a review, in their order.

    A deletion or addition that the layer's own undo took back stays among them, because its redo
    repeats it. So only steps that are in effect count.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def append(self, step: Step) -> None:
        """Add a step that was made."""
        self._steps.append(step)

    @property
    def last(self) -> Step | None:
        """The last step that is in effect."""
        return next((step for step in reversed(self._steps) if step.is_in_effect), None)

    def undo(self) -> Step | None:
        """Undo the last step that is in effect, and return it; None if there is none."""
        step = self.last
        if step is None:
            return None
        step.undo()
        if isinstance(step, Acceptance | Rejection):
            self._steps = [other for other in self._steps if other is not step]
        return step
