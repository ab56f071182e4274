"""Every key and mouse gesture of the plugin; the sheet under ``?`` is made of this table.

napari uses none of these letters, for a viewer or for any kind of layer. Its number keys choose
tools of the selected layer, as P, E, F, L and Z do. Here they choose a sequence, also while a mask
of a patient is painted; while a tool of another layer is chosen, they are napari's.
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
    repeats : bool
        Whether it acts again and again while it is held.
    short : str
        What it does in a word or two, for keys that the status bar names.
    """

    sequence: str
    action: str
    repeats: bool = False
    short: str = ""

    @property
    def napari(self) -> str:
        """The sequence as napari spells it (``Shift-N``)."""
        return self.sequence.replace("+", "-")


NEXT = Key(
    "N",
    "Go to the next small lesion that is not accepted, or candidate",
    repeats=True,
    short="next lesion",
)
PREVIOUS = Key("Shift+N", "Go to the previous small lesion or candidate", repeats=True)
ACCEPT = Key("K", "Accept the selected lesions, or undo that; add the candidate")
DELETE = Key("W", "Delete the selected lesions; reject the candidate")
UNDO = Key("U", "Undo the last step of the review", repeats=True)
FOLD = Key("J", "List the specks one by one, or fold them into one row")
DELETE_SPECKS = Key("Shift+J", "Delete all specks")
REGION = Key("Shift+R", "Choose the next region: ET, TC, WT")
TABLE = Key("Shift+T", "Go to the table of lesions")
SEGMENT = Key("Alt+G", "Segment the active patient")
SAVE = Key("Ctrl+S", "Save the masks of the active patient beside its images")
EXPORT = Key("Shift+X", "Export the masks, choosing a folder and a name")

SEQUENCES = {
    "t1": Key("1", "Show T1"),
    "t1ce": Key("2", "Show T1CE"),
    "t2": Key("3", "Show T2"),
    "flair": Key("4", "Show FLAIR"),
}
"""By modality."""

PEEK = Key("H", "Hide masks and rings while the key is held", short="hide masks")
REFERENCE = Key("Shift+C", "Show or hide the contours of the reference")
FLICKER = Key("O", "Switch between earlier and current scan")
BESIDE = Key("Shift+O", "Show earlier and current scan side by side")
NEXT_CHANGE = Key("Y", "Go to the next change since the earlier scan", repeats=True)
PREVIOUS_CHANGE = Key("Shift+Y", "Go to the previous change", repeats=True)
NEXT_CASE = Key("Alt+N", "Open the next unreviewed case of the worklist")
PREVIOUS_CASE = Key("Alt+Shift+N", "Open the previous unreviewed case of the worklist")
NEXT_LISTED = Key("Alt+J", "Go to the next candidate or small lesion of the case", repeats=True)
REVIEWED = Key("Alt+R", "Save the mask as reviewed")
SHEET = Key("?", "Show or close this sheet", short="all keys")

RULER = Key("Shift+D", "Measure distances in the planes, or stop")
LAYOUT = Key("Q", "Switch between napari's canvas and the planes")
FOLLOW = Key("G", "Let the crosshair follow the cursor, or stop")

_MOUSE = (
    Key("Left drag", "Move the crosshair; with a brush or eraser, paint; with the ruler, measure"),
    Key("Shift and move", "Move the crosshair without pressing a button"),
    Key("Middle drag, Ctrl and left drag", "Move the image"),
    Key("Alt and click", "Add the bright spot to ET (or P); with Shift, delete the lesion (or W)"),
    Key("Right drag", "Change window (to the side) and level (up and down)"),
    Key("Right double click", "Reset window and level"),
    Key("Wheel, arrows, Page Up or Down", "Change the slice"),
    Key("Ctrl and wheel", "Zoom"),
    Key("Double click", "Enlarge the plane, or show all four views"),
)

_CASES = (
    Key("Ctrl+Shift+P", "Run a command: Open case, Segment, Lesions"),
    SEGMENT,
    SAVE,
    EXPORT,
)

BRUSH = Key("P", "Brush of the selected mask", short="brush")
ERASER = Key("E", "Eraser of the selected mask", short="eraser")
END_PAINTING = Key("Z", "End painting", short="end painting")
BRUSH_SIZE = Key("[ and ]", "Smaller and larger brush", short="brush size")
UNDO_STROKE = Key("Ctrl+Z", "Undo the last stroke", short="undo")

_NAPARI = (
    BRUSH,
    ERASER,
    END_PAINTING,
    BRUSH_SIZE,
    UNDO_STROKE,
    Key("F, L", "Fill and picker, on napari's canvas"),
    Key("Shift and right drag", "Change window and level on napari's canvas"),
)

_TABLE = (
    Key("Up, Down", "Go to the lesion above or below"),
    Key("Shift and Up, Down; Ctrl+A", "Select several lesions, or all"),
    Key("Enter", "Go to the lesion again; list or fold the specks"),
    Key("Space", "Accept the selected lesions"),
    Key("Delete", "Delete the selected lesions"),
    Key("Escape", "Leave the table, so that arrows change the slice"),
)

COLUMNS: tuple[dict[str, tuple[Key, ...]], ...] = (
    {
        "Views": (LAYOUT, FOLLOW, RULER, *SEQUENCES.values(), PEEK, REFERENCE, SHEET),
        "In a plane": _MOUSE,
        "Painting, and napari's canvas": _NAPARI,
    },
    {
        "Lesions": (NEXT, PREVIOUS, ACCEPT, DELETE, UNDO, FOLD, DELETE_SPECKS, REGION, TABLE),
        "In the table of lesions": _TABLE,
        "Follow-up": (FLICKER, BESIDE, NEXT_CHANGE, PREVIOUS_CHANGE),
        "Worklist": (NEXT_CASE, PREVIOUS_CASE, NEXT_LISTED, REVIEWED),
        "Cases and results": _CASES,
    },
)
"""Keys by topic, in the columns of the sheet."""

_FIRST, *_, _LAST = (key.sequence for key in SEQUENCES.values())
_SEQUENCE = Key(f"{_FIRST}-{_LAST}", "Show a sequence", short="sequence")

MASK_HELP = (BRUSH, ERASER, UNDO_STROKE, _SEQUENCE, NEXT, SHEET)
TOOL_HELP = (BRUSH, ERASER, BRUSH_SIZE, UNDO_STROKE, END_PAINTING, SHEET)
IMAGE_HELP = (_SEQUENCE, PEEK, NEXT, SHEET)
"""What the status bar names for a mask, for one whose brush or eraser is chosen, and an image."""


def with_key(text: str, key: Key) -> str:
    """A tooltip that names the key of a button."""
    return f"{text} ({key.sequence})"
