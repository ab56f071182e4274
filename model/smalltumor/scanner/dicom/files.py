"""DICOM files in a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from smalltumor.data.volumes.dicom_start import file_starts_as_dicom
from smalltumor.errors import CaseError
from smalltumor.files.listings import walk
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.dicom.headers import DicomImage, FileImages, read_file

MAX_OPENED = 10_000
"""Files that are opened to tell whether a folder holds DICOM."""

_NAMED_DICOM = (".dcm", ".ima", ".dicom")


def read_images(
    folder: Path, on_file: Callable[[int], None] | None = None
) -> tuple[list[DicomImage], list[ScanWarning]]:
    """Read the headers of all DICOM images in a folder and its subfolders.

    Parameters
    ----------
    folder : Path
    on_file : callable, optional
        Called with the number of files looked at; an exception that it raises ends the search.

    Returns
    -------
    list of DicomImage
        Images of MRI and other modalities that have a position in the patient.
    list of ScanWarning
        One for each kind of damage of DICOM files, one for images of MRI without a place,
        one for files that are empty, and one for those that gzip has compressed.

    Raises
    ------
    MissingPackageError
        If there are DICOM files and pydicom is not installed.
    """
    files: list[FileImages] = []
    damaged: dict[str, list[str]] = defaultdict(list)
    compressed: list[Path] = []
    empty: list[Path] = []
    for count, path in enumerate(files_in(folder), start=1):
        if on_file is not None:
            on_file(count)
        if _is_empty(path):
            empty.append(path)
        elif is_dicom(path):
            try:
                files.append(read_file(path))
            except CaseError as error:
                problem = str(error).removeprefix(str(path))
                damaged[problem].append(path.relative_to(folder).as_posix())
        elif _is_compressed(path):
            compressed.append(path)
    images = [image for file in files for image in file.images]
    empty = _of_dicom(empty, {image.path.parent for image in images})
    left_out = _left_out(files, compressed, [path.relative_to(folder) for path in empty])
    return images, [*_damaged(damaged), *left_out]


def _damaged(names: Mapping[str, Sequence[str]]) -> Iterator[ScanWarning]:
    """A warning for each kind of damage, with the names of the files."""
    for problem, (first, *others) in names.items():
        more = f", and so are {len(others)} more" if others else ""
        count = f"{1 + len(others)} DICOM files are" if others else "a DICOM file is"
        told = Identifying(f"{first}{problem}{more}", f"{count} damaged")
        yield ScanWarning((told, f"; {'they are' if others else 'it is'} left out"))


def _left_out(
    files: Iterable[FileImages], compressed: Sequence[Path], empty: Sequence[Path]
) -> Iterator[ScanWarning]:
    """Warnings about images without a place, and about files that are compressed or empty."""
    unplaced: Counter[str] = Counter()
    for file in files:
        unplaced[file.title] += file.unplaced
    if number := unplaced.total():
        titles = ", ".join(title or "a series without a name" for title in +unplaced)
        which = "an MR image gives" if number == 1 else f"{number} MR images give"
        verb = "is" if number == 1 else "are"
        text = f"{which} no position, orientation or pixel size and {verb} left out"
        yield ScanWarning((text, Identifying(f" ({titles})"), "; export the original images again"))
    if compressed:
        which = "a DICOM file is" if len(compressed) == 1 else f"{len(compressed)} DICOM files are"
        name = Identifying(f" ({compressed[0].name})")
        text = f"{which} compressed with gzip"
        yield ScanWarning((text, name, " and left out; unpack with gunzip"))
    if empty:
        which = "a file is" if len(empty) == 1 else f"{len(empty)} files are"
        name = Identifying(f" ({empty[0].as_posix()})")
        advice = "copy the study again if it was not transferred completely"
        yield ScanWarning((f"{which} empty", name, f" and left out; {advice}"))


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and not path.stat().st_size
    except OSError:
        return False


def _of_dicom(empty: Sequence[Path], folders: Collection[Path]) -> list[Path]:
    """Empty files that were DICOM, as their names tell, or what else is in their folders."""
    alone: dict[Path, bool] = {}
    found = []
    for path in empty:
        folder = path.parent
        if not is_named_dicom(path.name) and folder not in folders:
            if folder not in alone:
                alone[folder] = all(map(_is_empty, filter(Path.is_file, folder.iterdir())))
            if not alone[folder]:
                continue
        found.append(path)
    return found


def _is_compressed(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(".gz") and is_named_dicom(name.removesuffix(".gz"))


def holds_dicom(folder: Path, most_files: int = MAX_OPENED) -> bool:
    """Whether a folder or its subfolders hold DICOM.

    Parameters
    ----------
    folder : Path
    most_files : int
        Files that are opened at most, in the order of their folders and names. Folders with a
        DICOMDIR hold DICOM.

    Returns
    -------
    bool
        Also true if a folder cannot be listed, so that reading the scan tells why.
    """
    files = islice(files_in(folder, with_directory=True), most_files)
    try:
        return any(is_directory(path) or is_dicom(path) for path in files)
    except CaseError:
        return True


def files_in(folder: Path, *, with_directory: bool = False) -> Iterator[Path]:
    """The files in a folder and its subfolders in the order of names, possibly first DICOMDIRs."""
    for root, folders, names in walk(folder):
        folders.sort()
        paths = [Path(root, name) for name in sorted(names) if not name.startswith(".")]
        if with_directory:
            yield from filter(is_directory, paths)
        yield from (path for path in paths if not is_directory(path))


def is_directory(path: Path) -> bool:
    """Whether a file lists the DICOM files of a medium and holds no image."""
    return path.name.upper() == "DICOMDIR"


def is_dicom(path: Path) -> bool:
    """Whether a regular file is DICOM, by the ending of its name or its first bytes."""
    return path.is_file() and (is_named_dicom(path.name) or file_starts_as_dicom(path))


def is_named_dicom(name: str) -> bool:
    """Whether a file is DICOM by the ending of its name; many have none."""
    return name.lower().endswith(_NAMED_DICOM)
