"""Sentences on why a layer belongs to a patient, or was not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer


def assumed_patient(layer: Layer, title: str) -> str:
    """Say that nothing but the patient who was shown tells whose a layer is."""
    return (
        f"The file of {layer.name} names no patient. It was added to {title}, who was shown when "
        "it was opened, or was opened with it. If it is not theirs, remove the layer, and open the "
        "file again when its patient is shown."
    )


def kept_apart(title: str, location: str) -> str:
    """Say that a mask is a patient of its own, because its patient has regions already."""
    return (
        f"{title} has regions already, so the mask in {location} is shown as a patient of its own. "
        "To compare it with these regions, choose it in the Compare dock. To use it instead, "
        "remove them and open it again."
    )


def refused_edit(layer: Layer, other: str = "") -> str:
    """Say why undo or redo was refused: the layer is not seen.

    Parameters
    ----------
    layer : napari layer
    other : str
        Title of its patient, if another one is active; else empty.
    """
    if other:
        reason = f"it belongs to {other}, which is not the active patient."
    else:
        why = "its opacity is 0. Raise" if layer.visible else "it is hidden. Show"
        reason = f"{why} it to undo or redo its edits."
    return f"{layer.name} was not changed: {reason}"
