"""Open the docks of the plugin from code, as napari's menu does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.viewer import Viewer

_PLUGIN = "napari-smalltumor"


def open_dock(viewer: Viewer, name: str) -> Any:
    """Open a dock, or bring it to the front if it is open.

    ``Window.add_plugin_dock_widget`` names docks otherwise than the menu does, so that the menu
    would open the same one a second time.

    Parameters
    ----------
    viewer : Viewer
    name : str
        Of the manifest, such as "Lesions".

    Returns
    -------
    QWidget
        The widget in the dock.
    """
    from npe2 import PluginManager

    from napari_smalltumor.widgets.docks.dock_tabs import bring_to_front  # readers import no Qt

    manifest = PluginManager.instance().get_manifest(_PLUGIN)
    title = f"{name} ({manifest.display_name})"
    widget = viewer.window.dock_widgets.get(title)
    if widget is None:
        (contribution,) = [
            each for each in manifest.contributions.widgets or () if each.display_name == name
        ]
        widget = contribution.get_callable()(viewer)
        viewer.window.add_dock_widget(widget, name=title)
    bring_to_front(widget)
    return widget
