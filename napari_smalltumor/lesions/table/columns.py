"""Columns of the table of lesions, and the tooltip of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smalltumor.lesions import Lesion, Side
from smalltumor.text import mm3_text, volume_text

Value = float | int | str | None

SMALL, ACCEPTED = "○", "✓"


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Parameters
    ----------
    title, tip : str
    value : callable
        Value of the cell, by which rows are sorted.
    form : str or callable
        Format specification of the value, or its text.
    """

    title: str
    tip: str
    value: Callable[[Lesion], Value]
    form: str | Callable[[Any], str] = "d"

    def text(self, lesion: Lesion) -> str:
        """Text of the cell; a dash if there is no value."""
        value = self.value(lesion)
        if value is None:
            return "–"
        return value if isinstance(value, str) else formatted(value, self.form)


def formatted(value: Any, form: str | Callable[[Any], str]) -> str:
    """A value as a text, by a format specification or a function."""
    return form(value) if callable(form) else format(value, form)


_DIAMETER = (
    "Largest diameter in 3D, between voxel corners; a report has diameters in an axial slice"
)


def _columns() -> tuple[Column, ...]:
    patient = "Centre in patient space: mm to the {} (RAS)"
    probability = "{} probability that the network gave the region in the lesion; not its score"
    slices = "{} slice through the centre, numbered as in the planes and on napari's slider"
    columns = [
        Column("", f"{SMALL} small, {ACCEPTED} accepted", lambda x: int(not x.is_small)),
        Column("mm³", "Volume in cubic millimetres", lambda x: x.mm3, mm3_text),
        Column("3D mm", _DIAMETER, lambda x: x.diameter_mm, ".1f"),
        Column("side", "The patient's side", lambda x: x.side and x.side.value),
    ]
    for axis, (title, name) in enumerate(
        (("ax", "Axial"), ("cor", "Coronal"), ("sag", "Sagittal"))
    ):
        columns.append(Column(title, slices.format(name), _slice(axis)))
    columns += [
        Column("prob.", probability.format("Mean"), lambda x: x.mean_probability, ".2f"),
        Column("max prob.", probability.format("Largest"), lambda x: x.max_probability, ".2f"),
        Column("ml", "Volume in millilitres", lambda x: x.ml, volume_text),
        Column("id", "Number, from 1, by size", lambda x: x.id),
        Column("voxels", "Number of voxels", lambda x: x.voxels),
    ]
    for axis, (letter, end) in enumerate(zip("RAS", ("right", "front", "top"), strict=True)):
        columns.append(Column(letter, patient.format(end), _item("centroid_ras_mm", axis), ".0f"))
    return tuple(columns)


def _slice(axis: int) -> Callable[[Lesion], Value]:
    return lambda lesion: lesion.slices and lesion.slices[axis]


def _item(name: str, axis: int) -> Callable[[Lesion], Value]:
    return lambda lesion: getattr(lesion, name)[axis]


COLUMNS = _columns()
SHOWN_FIRST = 8
"""Number of columns that are shown at first; the user can show the others."""

VOLUME = 1
"""Index of the column that the table is sorted by at first."""

PROBABILITY = 7
"""Index of the mean probability, which only a network's result has."""


def mark_of(lesion: Lesion, accepted: bool) -> str:
    """Text of the first column."""
    return ACCEPTED if accepted else SMALL if lesion.is_small else ""


def describe(lesion: Lesion, accepted: bool) -> str:
    """Size and place of a lesion, as the tooltip of its row."""
    right, front, top = lesion.centroid_ras_mm
    axial, coronal, sagittal = lesion.slices or ("–", "–", "–")
    return (
        f"{'Small lesion' if lesion.is_small else 'Lesion'} {lesion.id}"
        f"{', accepted' if accepted else ''}: {lesion.voxels} voxels, {volume_text(lesion.ml)} ml, "
        f"{lesion.diameter_mm:.1f} mm across in 3D\n"
        f"{_SIDES[lesion.side]}axial {axial}, coronal {coronal}, sagittal {sagittal}\n"
        f"centre R {right:.1f}, A {front:.1f}, S {top:.1f} mm"
    )


_SIDES = {
    None: "",
    Side.RIGHT: "patient's right; ",
    Side.LEFT: "patient's left; ",
    Side.MIDLINE: "midline; ",
}
