"""What a layer remembers about where it comes from: ``layer.metadata["smalltumor"]``.

The dict has ``case`` (a `smalltumor.Case`, with the true affine, header and paths) and one of
``modality`` (an image), ``region`` (the mask of one region, 0 and 1) or ``scheme`` (a label
volume as stored in a file).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalltumor.data.case import Case
from smalltumor.labels.regions import Region

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Labels, Layer

KEY = "smalltumor"


def remembered(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our part of a layer's metadata; empty for a layer of another origin."""
    ours = metadata.get(KEY)
    return ours if isinstance(ours, Mapping) else {}


def case_of(layer: Layer) -> Case | None:
    """The case a layer belongs to, if it is known."""
    return remembered(layer.metadata).get("case")


def region_of(layer: Layer) -> Region | None:
    """The region a labels layer is the mask of, if it is one."""
    return remembered(layer.metadata).get("region")


def same_case(one: Case | None, other: Case | None) -> bool:
    """Whether both are the same patient's same images, even if read or put together twice."""
    if one is None or other is None:
        return False
    if one is other:
        return True
    return one.name == other.name and one.paths == other.paths and one.grid.matches(other.grid)


def same_patient(one: Case | None, other: Case | None) -> bool:
    """Whether both can be parts of one case, such as files of it that were read one by one."""
    if one is None or other is None:
        return False
    return one.name == other.name and one.grid.matches(other.grid)


def region_layers(layers: Iterable[Layer], case: Case) -> dict[Region, Labels]:
    """The region layers of a case among the layers of a viewer."""
    return {
        region: layer  # type: ignore[misc]
        for layer in layers
        if (region := region_of(layer)) is not None and same_case(case_of(layer), case)
    }


def cases_among(layers: Iterable[Layer]) -> Iterator[Case]:
    """Every case that layers belong to, once, in the order of the layers."""
    met: list[Case] = []
    for layer in layers:
        case = case_of(layer)
        if case is not None and not any(same_case(case, m) for m in met):
            met.append(case)
            yield case
