"""What the user chose once and for all: the plugin's page in napari's Preferences.

The page is declared in ``napari.yaml`` under ``configurations`` and napari keeps it. Versions of
napari that do not know such pages keep the choices for the session.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from psygnal import Signal, SignalInstance

PLUGIN = "napari-smalltumor"
READ_BY_DEFAULT = ("*.nii", "*.nii.gz", "*/")
"""Patterns of `napari.settings`: the last one is any folder; what is no case goes on to others."""

_SECTIONS = {
    "device": "segmentation",
    "weights": "segmentation",
    "weights_folder": "segmentation",
    "flips": "segmentation",
    "scheme": "segmentation",
    "style": "segmentation",
    "threshold": "lesions",
    "autosave": "editing",
    "default_reader": "opening",
    "training_folder": "training",
    "run_folder": "training",
}
_session: dict[str, Any] = {}


class _Changes:
    """Changes made through `put`, for widgets that show a setting."""

    changed = Signal(str, object)


changed: SignalInstance = _Changes().changed
"""Emitted by `put` with a setting's name and its new value."""


def get(name: str) -> Any:
    """A setting's value: ``device``, ``threshold``, ... as declared in the manifest."""
    pages = _pages()
    if pages is None:
        return _session.get(name, _declared_default(name))
    return getattr(getattr(pages, _SECTIONS[name]), name)


def put(name: str, value: Any) -> None:
    """Keep a setting; napari writes it to its own settings folder."""
    pages = _pages()
    if pages is None:
        _session[name] = value
    else:
        setattr(getattr(pages, _SECTIONS[name]), name, value)
    changed.emit(name, value)


def activate(context: Any = None) -> None:
    """Called by napari when the plugin is used for the first time in a session."""
    pages = _pages()
    if pages is not None:
        pages.opening.events.default_reader.connect(_apply_default_reader)
        if pages.opening.default_reader:
            _apply_default_reader()


def open_by_default() -> None:
    """Make the plugin the reader of NIfTI files and case folders, without asking each time."""
    from napari_smalltumor.notify import info

    put("default_reader", True)
    _apply_default_reader()
    info("NIfTI files and case folders now open with Small Tumour; Preferences undo this.")


def last_folder(*, saving: bool = False) -> str:
    """Where the user last opened or saved something, as napari itself remembers it."""
    from napari.utils.history import get_open_history, get_save_history

    history = get_save_history() if saving else get_open_history()
    return str(history[0]) if history else str(Path.home())


def remember_folder(path: Path, *, saving: bool = False) -> None:
    """Let the next dialog start where this one ended."""
    from napari.utils.history import update_open_history, update_save_history

    (update_save_history if saving else update_open_history)(str(path))


def _apply_default_reader(event: Any = None) -> None:
    from napari.settings import get_settings

    plugins = get_settings().plugins
    others = {k: v for k, v in plugins.extension2reader.items() if v != PLUGIN}
    ours = dict.fromkeys(READ_BY_DEFAULT, PLUGIN) if get("default_reader") else {}
    plugins.extension2reader = {**others, **ours}


def _pages() -> Any:
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return None
    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:  # the plugin is not installed, only importable
        return None


@cache
def _declared_default(name: str) -> Any:
    import npe2

    manifest = npe2.PluginManifest.from_file(Path(__file__).with_name("napari.yaml"))
    return manifest.contributions.configurations[_SECTIONS[name]].properties[name].default
