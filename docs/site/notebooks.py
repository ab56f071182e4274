"""Notebooks as pages of the site."""

from __future__ import annotations

import json


def page_of(notebook: str) -> str:
    """The page in Markdown of a notebook: its texts, and its code in blocks.

    Parameters
    ----------
    notebook : str
        Content of an ``.ipynb`` file.
    """
    parts = []
    for cell in json.loads(notebook)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            language = "sh" if text.startswith("!") else "python"
            text = f"```{language}\n{text.removeprefix('!')}\n```"
        parts.append(text)
    return "\n\n".join(parts) + "\n"
