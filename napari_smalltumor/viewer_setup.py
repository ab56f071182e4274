"""What a viewer gets with the first file that the plugin opens in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_smalltumor import notify
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.display.black_canvas import ensure_black_canvas
from napari_smalltumor.display.brush_circle import ensure_open_brush_circle
from napari_smalltumor.display.edited_file_mask_notice import ensure_edited_file_mask_notice
from napari_smalltumor.display.existing_mask_notice import ensure_existing_mask_notice
from napari_smalltumor.display.opening_at_tumour import ensure_opening_at_tumour
from napari_smalltumor.display.window_level import ensure_window_dragging
from napari_smalltumor.export.unopened_exports import unopened_exports
from napari_smalltumor.layers.editing.canvas_strokes import ensure_canvas_strokes
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.views.upright_views import ensure_upright_views
from napari_smalltumor.layers.warm_up import warm_up_steps
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.layer_rules.drawn_labels import ensure_drawn_labels
from napari_smalltumor.patients.layer_rules.fixed_places import ensure_fixed_places
from napari_smalltumor.patients.layer_rules.grouping import group_opened_files
from napari_smalltumor.patients.layer_rules.joined_masks import ensure_joined_masks
from napari_smalltumor.patients.layer_rules.links import ensure_separate_properties
from napari_smalltumor.patients.layer_rules.patient_names import ensure_patient_names
from napari_smalltumor.patients.layer_rules.save_commands import ensure_save_commands
from napari_smalltumor.patients.layer_rules.stacking import ensure_stacking
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.patients.status_line import status_line
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel


def set_up(viewer: ViewerModel) -> None:
    """Keep patients apart, masks nested, seen and saved, and views upright; offer the planes."""
    for _ in setup_steps(viewer):
        pass


def setup_steps(viewer: ViewerModel) -> Iterator[None]:
    """Do what `set_up` does in short steps, for a turn of the event loop each."""
    active_patient(viewer)
    closed_patients(viewer)
    ensure_save_commands(viewer)
    group_opened_files(viewer)
    ensure_stacking(viewer)
    ensure_separate_properties(viewer)
    ensure_drawn_labels(viewer)
    ensure_joined_masks(viewer)
    ensure_patient_names(viewer)
    status_line(viewer)
    ensure_fixed_places(viewer)
    ensure_nesting(viewer)
    ensure_canvas_strokes(viewer)
    ensure_autosave(viewer)
    unopened_exports(viewer)
    yield
    if hasattr(unproxied(viewer), "window"):
        for _ in warm_up_steps():
            yield
    ensure_upright_views(viewer)
    yield
    ensure_black_canvas(viewer)
    ensure_open_brush_circle(viewer)
    ensure_opening_at_tumour(viewer)
    ensure_existing_mask_notice(viewer)
    ensure_edited_file_mask_notice(viewer)
    ensure_window_dragging(viewer)
    if hasattr(unproxied(viewer), "window"):
        yield
        from napari_smalltumor.closing.close_window import ensure_closing_question
        from napari_smalltumor.display.layer_help import ensure_layer_help
        from napari_smalltumor.display.layer_list import ensure_active_patient_in_view
        from napari_smalltumor.display.layer_list_menu import ensure_menu_after_click
        from napari_smalltumor.export.shortcuts import ensure_export_keys
        from napari_smalltumor.main_window.scale_bar import scale_bar_steps
        from napari_smalltumor.main_window.toolbar import ensure_toolbar
        from napari_smalltumor.widgets.docks.input_pause import dropped

        dropped.connect(_ask_to_repeat, unique=True)
        yield
        ensure_layer_help(viewer)
        ensure_menu_after_click(viewer)
        ensure_active_patient_in_view(viewer)
        ensure_toolbar(viewer)
        ensure_export_keys(viewer)
        ensure_closing_question(viewer)
        yield
        yield from scale_bar_steps(viewer)


def _ask_to_repeat(press: str) -> None:
    """Say that a click or key did nothing, instead of acting on a patient who was not shown yet."""
    again = "Click again" if press == "click" else "Press it again"
    notify.info(f"A {press} did nothing, because the picture was still being drawn. {again}.")
