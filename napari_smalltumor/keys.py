"""Every key and mouse gesture of the plugin; the sheet under ``?`` is made of this table.

Letters are those that napari uses for no layer and no viewer. Its number keys choose tools of the
selected layer, so the plugin's number keys pause while a brush, eraser or other tool is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """A key or mouse gesture.

    Parameters
    ----------
    sequence : str
        As in Qt (``Shift+N``), or the gesture in words.
    action : str
        What it does, in words for the user.
    """

    sequence: str
    action: str

    @property
    def napari(self) -> str:
        """The sequence as napari spells it (``Shift-N``)."""
        return self.sequence.replace("+", "-")


NEXT = Key("N", "Go to the next small lesion")
PREVIOUS = Key("Shift+N", "Go to the previous small lesion")
ACCEPT = Key("K", "Accept the lesion, or take the acceptance back")
DELETE = Key("W", "Delete the selected lesions")
UNDO = Key("U", "Restore the lesions that were deleted last")

LAYOUT = Key("Q", "Change between napari's canvas and the planes")
FOLLOW = Key("G", "Let the crosshair follow the cursor, or stop")

_MOUSE = (
    Key("Left drag", "Move the crosshair; with a brush or eraser chosen, paint"),
    Key("Shift and move", "Move the crosshair without pressing a button"),
    Key("Middle drag, Ctrl and left drag", "Move the image"),
    Key("Wheel, arrows, Page Up, Page Down", "Change the slice"),
    Key("Ctrl and wheel", "Zoom"),
    Key("Double click", "Enlarge the plane, or show all four views"),
)

TOPICS: dict[str, tuple[Key, ...]] = {
    "Views": (LAYOUT, FOLLOW),
    "In a plane": _MOUSE,
    "Small lesions": (NEXT, PREVIOUS, ACCEPT, DELETE, UNDO),
}


def with_key(text: str, key: Key) -> str:
    """A tooltip that names the key of a button."""
    return f"{text} ({key.sequence})"
