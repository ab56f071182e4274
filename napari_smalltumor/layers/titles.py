"""Layers of patients who have one name are named with what tells the patients apart.

Two visits of one name in two folders would otherwise have layers ``P7 ET`` and ``P7 ET [1]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.layers.own_metadata import set_metadata
from napari_smalltumor.layers.patient import (
    Patient,
    are_of_one_patient,
    patient_of,
    patient_of_shown_case,
    patients_among,
)
from napari_smalltumor.layers.patient import titles as titles_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from smalltumor.data.case import Case

_TITLE_KEY = "smalltumor_title"
"""Key, in a layer's metadata, of the title that its name begins with."""

_NAPARI_NUMBER = re.compile(r" \[\d+\]$")
_OF_NEW = re.compile(r"(?: copy| - Labels| \[\d+\])+$")
"""What napari appends to the name of a layer that it copies or creates labels on."""
_NEW_LAYERS = ("Labels", "Points", "Shapes", "Vectors", "Tracks", "Surface", "Image")
"""How napari names layers that nobody has named."""

_given: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()
"""Names that layers have from this plugin or napari, not from the user."""


def name_by_titles(layers: Iterable[Layer], titles: Mapping[Patient, str]) -> None:
    """Begin the names of layers with the titles of their patients; keep names that users gave.

    Parameters
    ----------
    layers : iterable of Layer
        All layers of the viewer.
    titles : mapping of Patient to str
        Those of the patients that are open; the layers of others keep their names.
    """
    layers = list(layers)
    before = {layer.name for layer in layers}
    for layer in layers:
        patient = patient_of(layer)
        title = titles.get(patient) if patient is not None else None
        known = _TITLE_KEY in layer.metadata or title in (None, _title_of(layer))
        if title is not None and not known and _is_named(layer, title):
            # napari named it after a layer.
            set_metadata(layer, {**layer.metadata, _TITLE_KEY: title})
        rest = _after_title(layer)
        if title is None or rest is None or not _has_given_name(layer, layers):
            continue
        if title == _title_of(layer):
            continue
        set_metadata(layer, {**layer.metadata, _TITLE_KEY: title})
        unnumbered = without_number(layer.name)
        if unnumbered in before and not _has_other(layer, unnumbered, layers):
            rest = without_number(rest)
        layer.name = title + rest
        _given[layer] = layer.name


def drop_needless_numbers(own: Iterable[Layer], layers: Iterable[Layer]) -> None:
    """Take napari's number from the names of layers that no other layer has without it.

    Parameters
    ----------
    own : iterable of Layer
        Those to be renamed; names that users gave are kept.
    layers : iterable of Layer
        All layers of the viewer.
    """
    names = {layer.name for layer in layers}
    for layer in own:
        unnumbered = without_number(layer.name)
        if unnumbered not in names and _has_given_name(layer, layers):
            layer.name = unnumbered
            _given[layer] = layer.name


def title_of_case(layers: Iterable[Layer], case: Case) -> str:
    """Name of a case for the user, with its folder if another open patient has the same name."""
    layers = list(layers)
    patient = patient_of_shown_case(layers, case)
    return titles_of(list(dict.fromkeys([*patients_among(layers), patient])))[patient]


def without_number(name: str) -> str:
    """A name without the number that napari appends if another layer has it."""
    return _NAPARI_NUMBER.sub("", name)


def name_in_case(layer: Layer) -> str:
    """The name that a layer has while no other patient of this name is open."""
    patient, rest = patient_of(layer), _after_title(layer)
    return str(layer.name) if patient is None or rest is None else patient.name + rest


def name_without_patient(layer: Layer) -> str:
    """What a layer shows, without its patient's name, such as ``T1CE``."""
    patient, name = patient_of(layer), name_in_case(layer)
    return name.removeprefix(f"{patient.name} ") if patient is not None else name


def _has_given_name(layer: Layer, layers: Iterable[Layer]) -> bool:
    """Whether a layer has its name from this plugin or napari, as all layers with a role at first.

    Of others, those are counted that are named after a layer of the patient, such as copies.
    """
    if layer not in _given and (role_of(layer) is not None or _is_named_by_napari(layer, layers)):
        _given[layer] = layer.name
    return _given.get(layer) == layer.name


def _is_named_by_napari(layer: Layer, layers: Iterable[Layer]) -> bool:
    base, own = _OF_NEW.sub("", layer.name), [x for x in layers if are_of_one_patient(x, layer)]
    titled = {f"{_title_of(layer)} {kind}" for kind in _NEW_LAYERS}
    return base in titled | {x.name for x in own if _given.get(x) == x.name}


def _has_other(layer: Layer, name: str, layers: Iterable[Layer]) -> bool:
    """Whether another layer of the patient has a name, so that the number tells them apart."""
    return any(x is not layer and are_of_one_patient(x, layer) and x.name == name for x in layers)


def _is_named(layer: Layer, title: str) -> bool:
    return f"{layer.name} ".startswith(f"{title} ")


def _after_title(layer: Layer) -> str | None:
    """The rest of a layer's name; None if it does not begin with the title of a patient."""
    title, name = _title_of(layer), str(layer.name)
    return name[len(title) :] if title and _is_named(layer, title) else None


def _title_of(layer: Layer) -> str:
    patient = patient_of(layer)
    return str(layer.metadata.get(_TITLE_KEY, patient.name)) if patient is not None else ""
