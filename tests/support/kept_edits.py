"""The edits of removed masks that must be in a file of their case, whatever a user does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region

from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.masks import key_of
from napari_smalltumor.layers.coordinates import to_display

REGIONS = frozenset(map(str, Region))


@dataclass
class KeptEdit:
    """The edits of a mask that was removed.

    Parameters
    ----------
    key : str
        Its `layer_key`.
    contents : list of bytes
        Its data when it was removed; or, if autosave was off, since it was saved last.
    is_open : bool
        Whether the case was open ever since.
    """

    key: str
    contents: list[bytes]
    is_open: bool = True


class KeptEdits:
    """Edits that were not exported, restored or discarded, by number of the case."""

    def __init__(self) -> None:
        self._edits: dict[int, list[KeptEdit]] = defaultdict(list)

    def add(self, number: int, key: str, contents: list[bytes]) -> None:
        self._edits[number].append(KeptEdit(key, contents))

    def close(self, number: int) -> None:
        """The last mask of a case was removed."""
        for edit in self._edits[number]:
            edit.is_open = False

    def end(self, number: int, contents: Mapping[str, bytes]) -> None:
        """Masks are in the viewer again, or were exported, restored or discarded."""
        self._edits[number] = [
            edit for edit in self._edits[number] if contents.get(edit.key) not in edit.contents
        ]

    def export(self, number: int, contents: Mapping[str, bytes]) -> None:
        """Masks were exported; with regions, those that were removed before are left out."""
        self.end(number, contents)
        left_out = set() if REGIONS.isdisjoint(contents) else REGIONS - contents.keys()
        self._edits[number] = [
            edit for edit in self._edits[number] if not (edit.is_open and edit.key in left_out)
        ]

    def missing_in(self, number: int, saved: set[tuple[str, bytes]]) -> list[str]:
        """Keys of the masks of a case whose edits are in no file."""
        return [
            edit.key
            for edit in self._edits[number]
            if not any((edit.key, content) in saved for content in edit.contents)
        ]


def contents_of(file: Path, grid: Grid) -> dict[str, bytes]:
    """Data of the layers in an autosave file, by `layer_key`."""
    return {
        key_of(mask.region, mask.name): to_display(mask.on_grid(grid.shape), grid).tobytes()
        for mask in read_masks(file)
    }
