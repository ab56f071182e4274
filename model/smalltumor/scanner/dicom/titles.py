"""Titles of DICOM series for the user, which tell apart the volumes of a study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from smalltumor.scanner.dicom.headers import DicomImage

_PLANES = ("sagittal", "coronal", "axial")
_Part = Callable[[DicomImage], str]


def titles_of(volumes: Sequence[Sequence[DicomImage]]) -> list[str]:
    """A title for each volume: number and description, and what tells it apart.

    Volumes of one study that are called the same get what they differ in: image type, echo time,
    plane, acquisition, matrix, or time.

    Parameters
    ----------
    volumes : sequence of sequence of DicomImage
    """
    titles = [_title(volume[0]) for volume in volumes]
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for index, (title, volume) in enumerate(zip(titles, volumes, strict=True)):
        alike[volume[0].patient, volume[0].study, title].append(index)
    for indices in (each for each in alike.values() if len(each) > 1):
        parts = _distinguishing([volumes[index][0] for index in indices])
        for index, part in zip(indices, parts, strict=True):
            titles[index] += f" ({part})" if part else ""
    return titles


def _title(image: DicomImage) -> str:
    name = image.acquisition.text.partition(";")[0]
    return " ".join(part for part in (image.number, name) if part) or image.series


def _distinguishing(images: Sequence[DicomImage]) -> list[str]:
    """What the first images of volumes differ in, as few things as tell them apart."""
    common = frozenset.intersection(*(image.acquisition.image_type for image in images))
    found: list[list[str]] = [[] for _ in images]
    for part in (lambda image: _type_beside(common, image), *_PARTS):
        texts = [part(image) for image in images]
        if len(set(texts)) > 1:
            for own, text in zip(found, texts, strict=True):
                own += [text] if text else []
        if len(set(map(tuple, found))) == len(images):
            break
    return [", ".join(own) for own in found]


def _type_beside(common: frozenset[str], image: DicomImage) -> str:
    return "/".join(sorted(image.acquisition.image_type - common))


def _echo(image: DicomImage) -> str:
    echo = image.acquisition.echo_time
    return "" if echo is None else f"TE {echo:.3g} ms"


def _plane(image: DicomImage) -> str:
    row, column = np.reshape(image.orientation, (2, 3))
    return _PLANES[int(np.abs(np.cross(row, column)).argmax())]


def _acquisition(image: DicomImage) -> str:
    number, position = image.repeat
    parts = {"acquisition": number, "time point": position}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def _matrix(image: DicomImage) -> str:
    rows, columns = image.shape
    return f"{columns} x {rows}"


def _time(image: DicomImage) -> str:
    """The time of day; titles are recorded with a case, where the date would help to identify."""
    digits = image.acquisition.time.partition(".")[0][-6:]
    return f"at {digits[:2]}:{digits[2:4]}:{digits[4:]}" if len(digits) == 6 else ""


_PARTS: Sequence[_Part] = (_echo, _plane, _acquisition, _matrix, _time)
