"""Steps of a user of a window with napari's actions on layers of several patients."""

from __future__ import annotations

from random import Random

import numpy as np
from napari.layers import Layer, _layer_actions
from synthetic import SHAPE
from window_checks import WindowChecks

from napari_smalltumor.layers.patient import patient_of


class LayerActionSteps:
    """Steps of a user who links, stacks and converts layers, or has other images.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self._viewer, self._chance = checks.viewer, chance
        self._layers = checks.viewer.layers

    def act(self) -> str:
        """Do one of napari's actions with some layers of any patient."""
        name = self._chance.choice(["link", "link", "unlink", "stack", "convert", "add"])
        if name == "add":
            data = np.full(SHAPE, self._chance.randrange(1, 900), np.int16)
            layer = self._viewer.add_image(data, name=self._chance.choice(["case T1CE", "image"]))
            return f"add {layer.name}"
        chosen = self._some_images() if name == "stack" else self._some(list(self._layers))
        if (len(chosen) < 2 and name != "convert") or not chosen:
            return f"{name} nothing"
        names = [layer.name for layer in chosen]
        self._layers.selection = set(chosen)
        if name == "link":
            _layer_actions._link_selected_layers(self._layers)
        elif name == "unlink":
            _layer_actions._unlink_selected_layers(self._layers)
        elif name == "convert":
            _layer_actions._convert_to_labels(self._layers)
        else:
            self._stack(chosen)
        return f"{name} {names}"

    def _stack(self, chosen: list[Layer]) -> None:
        """Merge images; what is of several patients is of nobody."""
        patients, before = {patient_of(layer) for layer in chosen}, set(self._layers)
        _layer_actions._merge_stack(self._layers)
        for layer in set(self._layers) - before:
            assert len(patients) == 1 or patient_of(layer) is None, layer.name

    def _some_images(self) -> list[Layer]:
        images = [x for x in self._layers if x._type_string == "image" and x.ndim == 3]
        if not images:
            return []
        shape = self._chance.choice(images).data.shape
        return self._some([x for x in images if x.data.shape == shape])

    def _some(self, layers: list[Layer]) -> list[Layer]:
        """Up to three layers; labels of floats and rings are not converted by napari."""
        usable = [x for x in layers if x._type_string in ("image", "labels")]
        return self._chance.sample(usable, min(len(usable), self._chance.choice([1, 2, 2, 3])))
