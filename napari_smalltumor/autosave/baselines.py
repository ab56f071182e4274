"""The baseline of each mask, which is what it was before it was edited.

A mask is edited if it differs from what was exported last. If nothing was exported since the
network's result, or since the file that the layer was created from, it is compared with that.
What a layer was opened with is remembered as well: its file holds that also after an export to
another file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary, ref

from napari_smalltumor.layers.metadata import role_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from smalltumor.data.segmentation import Segmentation

    from napari_smalltumor.layers.metadata import LayerRole


class _Saved(NamedTuple):
    """Checksum of a mask as it was opened or exported, and what a network had filled it with.

    The first is None of restored edits, which are in no file.
    """

    checksum: int | None
    filled: int | None
    result: ref[Segmentation] | None

    def is_of(self, role: LayerRole | None) -> bool:
        """Whether the layer was not filled again since, also with an equal result."""
        if role is None:
            return self.filled is None
        result = None if self.result is None else self.result()
        return role.checksum == self.filled and role.result is result


class Baselines:
    """Checksums of the masks of layers before they were edited."""

    def __init__(self) -> None:
        self._saved: WeakKeyDictionary[Layer, _Saved] = WeakKeyDictionary()
        self._opened: WeakKeyDictionary[Layer, int] = WeakKeyDictionary()

    def __contains__(self, layer: Layer) -> bool:
        return layer in self._saved

    def set(self, layer: Layer, crc: int) -> None:
        """Regard a layer as unedited while the checksum of its data is this one."""
        self._keep(layer, crc)

    def set_opened(self, layer: Layer, crc: int) -> None:
        """Regard a new layer as unedited while the checksum of its data is this one."""
        self._opened[layer] = crc
        self.set(layer, crc)

    def set_restored(self, layer: Layer, opened: int | None) -> None:
        """Have a new layer of restored edits be opened with what these began with, if known."""
        self._opened.pop(layer, None)
        if opened is not None:
            self._opened[layer] = opened

    def opened_checksum(self, layer: Layer) -> int | None:
        """Checksum of the mask that a layer was opened with; None of a network's result."""
        return self._opened.get(layer)

    def clear(self, layer: Layer) -> None:
        """Regard a layer as edited, as restored edits are, which no file holds."""
        self._keep(layer, None)

    def _keep(self, layer: Layer, crc: int | None) -> None:
        role = role_of(layer)
        filled = None if role is None else role.checksum
        result = None if role is None or role.result is None else ref(role.result)
        self._saved[layer] = _Saved(crc, filled, result)

    def is_unsaved_result(self, layer: Layer) -> bool:
        """Whether a network filled a layer, and nothing was exported of it since."""
        saved, role = self._saved.get(layer), role_of(layer)
        if role is None or role.checksum is None:
            return False
        return saved is None or saved.checksum is None or not saved.is_of(role)

    def checksum(self, layer: Layer) -> int | None:
        """Checksum of the mask that was exported or opened, or else of the result."""
        saved, role = self._saved.get(layer), role_of(layer)
        if saved is None or saved.checksum is None or not saved.is_of(role):
            return None if role is None else role.checksum
        return saved.checksum
