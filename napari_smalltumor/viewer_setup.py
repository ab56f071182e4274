"""What a viewer gets with the first file that the plugin opens in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.display.opening import ensure_opening_at_tumour
from napari_smalltumor.display.window_level import ensure_window_dragging
from napari_smalltumor.layers.nesting import ensure_nesting
from napari_smalltumor.layers.upright_views import ensure_upright_views
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.grouping import group_opened_files
from napari_smalltumor.patients.missing_regions import missing_regions
from napari_smalltumor.patients.save_commands import ensure_save_commands
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel


def set_up(viewer: ViewerModel) -> None:
    """Keep patients apart, masks nested and saved, and views upright; offer the planes."""
    active_patient(viewer)
    missing_regions(viewer)
    ensure_save_commands(viewer)
    group_opened_files(viewer)
    ensure_nesting(viewer)
    ensure_autosave(viewer)
    ensure_upright_views(viewer)
    ensure_opening_at_tumour(viewer)
    ensure_window_dragging(viewer)
    _offer_planes(viewer)


def set_up_current_viewer() -> None:
    """Set up the viewer that opens a file through napari's readers."""
    from napari.viewer import current_viewer

    viewer = current_viewer()
    if viewer is not None:
        set_up(viewer)


def _offer_planes(viewer: ViewerModel) -> None:
    if hasattr(unproxied(viewer), "window"):
        from napari_smalltumor.export.shortcut import ensure_export_key
        from napari_smalltumor.reading.toolbar import ensure_toolbar

        ensure_toolbar(viewer)
        ensure_export_key(viewer)
