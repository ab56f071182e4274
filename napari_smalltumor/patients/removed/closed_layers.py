"""The layers of a patient who was closed by removing them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_smalltumor.layers.changed_images import are_of_same_images
from napari_smalltumor.layers.drawings import holds_drawing
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import LayerKind, cases_among, role_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from smalltumor.data.case import Case

_KEPT = (LayerKind.IMAGE, LayerKind.REGION, LayerKind.TISSUE_CLASSES, LayerKind.LABELS)
"""What docks compute again, such as contours of a reference, is not kept."""


@dataclass(frozen=True, eq=False)
class ClosedLayers:
    """The layers of a patient that were there when it was closed.

    Parameters
    ----------
    together : list of Layer
        Those that were removed together with the last one, in their order.
    removed_before : list of Layer
        Its regions and images that were removed before.
    case : Case, optional
        What the images showed.
    """

    together: list[Layer]
    removed_before: list[Layer]
    case: Case | None

    @classmethod
    def of(cls, together: Iterable[Layer], removed_before: Iterable[Layer]) -> ClosedLayers:
        """The layers of these that can be added again."""
        kept = list(filter(_is_kept, together))
        before = [layer for layer in removed_before if layer not in kept and _is_kept(layer)]
        return cls(kept, before, case_among((*kept, *before)))

    @property
    def drawings(self) -> list[Layer]:
        """Layers that the user drew and did not save."""
        return [layer for layer in self.together if holds_drawing(layer)]

    def is_of_images_of(self, case: Case | None) -> bool:
        """Whether the layers showed the images of a case."""
        return bool(self.case and case and are_of_same_images(self.case, case))

    def without(self, layers: Collection[Layer]) -> ClosedLayers:
        """These layers without others."""
        together, removed_before = (
            [layer for layer in own if layer not in layers]
            for own in (self.together, self.removed_before)
        )
        return ClosedLayers(together, removed_before, self.case)


def case_among(layers: Iterable[Layer]) -> Case | None:
    """The case that layers show; None if no layer tells one."""
    return next(cases_among(layers), None)


def _is_kept(layer: Layer) -> bool:
    role = role_of(layer)
    return (role is None or role.kind in _KEPT) and not is_earlier_scan(layer)
