"""Settings of the plugin: its page in napari's Preferences, and the default reader.

The page is declared in ``napari.yaml`` under ``configurations``; napari stores the values. If the
plugin is importable but not installed, the values last for the session.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from psygnal import Signal, SignalInstance
from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.user_dirs import data_folder

PLUGIN = "napari-smalltumor"
READ_BY_DEFAULT = ("*.nii", "*.nii.gz", "*/")
"""Patterns of napari's reader settings. The last one matches every folder; the reader declines
folders that hold no case, and napari then asks other readers."""

_REPLACED_READERS = "replaced_readers.json"
"""File in the user's data folder: the earlier reader of each pattern, or null."""

_SECTIONS = {
    "device": "segmentation",
    "weights": "segmentation",
    "weights_folder": "segmentation",
    "flips": "segmentation",
    "scheme": "segmentation",
    "style": "segmentation",
    "threshold": "lesions",
    "speck_below_mm3": "lesions",
    "speck_probability": "lesions",
    "autosave": "editing",
    "reader": "editing",
    "results_folder": "opening",
    "default_reader": "opening",
    "views": "opening",
    "authors": "export",
    "training_folder": "training",
    "run_folder": "training",
}
_session: dict[str, Any] = {}
_is_putting = False


class _Events:
    """Events for widgets that show a setting."""

    changed = Signal(str, object)


changed: SignalInstance = _Events().changed
"""Emitted with a setting's name and its new value, when a dock or the user in napari's Preferences
has changed it."""


def get(name: str) -> Any:
    """Return the value of a setting (``device``, ``threshold``, ... as in the manifest)."""
    pages = _pages()
    if pages is None:
        return _session.get(name, _declared_default(name))
    return getattr(getattr(pages, _SECTIONS[name]), name)


def put(name: str, value: Any) -> None:
    """Store a setting; napari writes it to its own settings folder."""
    global _is_putting
    pages = _pages()
    if pages is None:
        _session[name] = value
    else:
        _is_putting = True
        try:
            setattr(getattr(pages, _SECTIONS[name]), name, value)
        finally:
            _is_putting = False
    changed.emit(name, value)


def activate(context: Any = None) -> None:
    """Connect the settings; napari calls this when the plugin is first used in a session."""
    pages = _pages()
    if pages is not None:
        for name, section in _SECTIONS.items():
            getattr(getattr(pages, section).events, name).connect(_listener(name))
        pages.opening.events.default_reader.connect(_apply_default_reader)
        if pages.opening.default_reader:
            _apply_default_reader()


@cache
def _listener(name: str) -> partial[None]:
    """Return one callback for each setting: napari connects the same callback once only."""
    return partial(_on_page, name)


def _on_page(name: str, event: Any = None) -> None:
    """Tell the docks what the user has changed in napari's Preferences."""
    if not _is_putting:
        changed.emit(name, get(name))


def open_by_default() -> None:
    """Make the plugin the default reader of NIfTI files and case folders, or no longer."""
    from napari_smalltumor.notify import info

    set_default_reader(not get("default_reader"))
    if get("default_reader"):
        info(
            "NIfTI files and case folders now open with Small Tumour. To undo this, choose the "
            "same command again, or clear Default reader in Preferences > Small Tumour."
        )
    else:
        info("NIfTI files and folders open with the previous readers again.")


def set_default_reader(is_default: bool) -> None:
    """Set whether the plugin is the default reader of NIfTI files and case folders."""
    put("default_reader", is_default)
    _apply_default_reader()


def last_folder(*, saving: bool = False) -> str:
    """Return the folder last used for opening or saving, from napari's own history."""
    from napari.utils.history import get_open_history, get_save_history

    history = get_save_history() if saving else get_open_history()
    return str(history[0]) if history else str(Path.home())


def remember_folder(path: Path, *, saving: bool = False) -> None:
    """Add a folder to napari's history, so that the next dialog starts there."""
    from napari.utils.history import update_open_history, update_save_history

    (update_save_history if saving else update_open_history)(str(path))


def _apply_default_reader(event: Any = None) -> None:
    if get("default_reader"):
        _set_default_reader()
    else:
        _restore_readers()


def _set_default_reader() -> None:
    """Make the plugin the reader of `READ_BY_DEFAULT`, and record the readers from before."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    readers = dict(plugins.extension2reader)
    replaced = _read_replaced()
    for pattern in READ_BY_DEFAULT:
        if pattern not in replaced or readers.get(pattern) != PLUGIN:
            replaced[pattern] = readers.get(pattern)
    _write_replaced(replaced)
    plugins.extension2reader = {**readers, **dict.fromkeys(READ_BY_DEFAULT, PLUGIN)}


def _restore_readers() -> None:
    """Restore the recorded readers, except where the user has chosen another one since."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    readers = dict(plugins.extension2reader)
    replaced = _read_replaced()
    for pattern in READ_BY_DEFAULT:
        if readers.get(pattern) == PLUGIN:
            del readers[pattern]
            if replaced.get(pattern) is not None:
                readers[pattern] = replaced[pattern]
    plugins.extension2reader = readers
    with suppress(OSError):
        (data_folder() / _REPLACED_READERS).unlink()


def _read_replaced() -> dict[str, str | None]:
    """Recorded readers by pattern; empty if there is no record or it is damaged."""
    try:
        stored = json.loads((data_folder() / _REPLACED_READERS).read_text(encoding="utf-8"))
        items = stored.items()
    except (OSError, *DAMAGED):
        return {}
    return {pattern: reader for pattern, reader in items if isinstance(reader, str | None)}


def _write_replaced(replaced: dict[str, str | None]) -> None:
    path = data_folder() / _REPLACED_READERS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(replaced, indent=2), overwrite=True)
    except (OSError, OutputError):
        return  # the reader is switched on all the same; only the record is missing


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
