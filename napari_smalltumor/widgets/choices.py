"""Boxes whose choices change while one of them is selected."""

from __future__ import annotations

from magicgui.widgets import ComboBox

BROWSE = "file..."
"""Title and value of the choice that asks for a file."""


def set_choices(combo: ComboBox, choices: list[tuple[str, str]], wanted: str | None = None) -> None:
    """List the choices of a box again, and select `wanted`, else its present value, else the first.

    The box does not emit ``changed``.

    Parameters
    ----------
    combo : ComboBox
        Made with a function that returns its choices.
    choices : list of (str, str)
        Titles and values, as that function returns them.
    wanted : str, optional
    """
    values = [value for _, value in choices if value != BROWSE]
    selected = combo.value if wanted is None else wanted
    with combo.changed.blocked():
        combo.native.clear()  # magicgui keeps known choices where they are, and adds others below
        combo.reset_choices()
        combo.value = selected if selected in values else values[0]
