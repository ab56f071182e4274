"""Zip archives of a study, unpacked to a temporary folder."""

from __future__ import annotations

import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

from smalltumor.data.volumes.dicom_start import START_BYTES, starts_as_dicom
from smalltumor.data.volumes.nifti import is_image_name
from smalltumor.data.volumes.volume_files import ARCHIVE_ENDINGS
from smalltumor.errors import CaseError
from smalltumor.scanner.dicom.files import is_named_dicom

SUFFIX = ".zip"

NO_IMAGES = "holds no images in DICOM, NIfTI, .mha or .nrrd files"

MAX_BYTES = 16 * 2**30
"""Largest size of the unpacked files; a study with all its series has one or two GB."""

MAX_FILES = 200_000
MAX_EXAMINED = 1000
"""Files of an archive whose first bytes are read before it is unpacked."""

_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error),
    *(EOFError, NotImplementedError, UnicodeDecodeError),
)
"""What `zipfile` raises for a damaged archive, apart from `OSError`."""

_CHUNK_BYTES = 4 * 2**20
"""Unpacked between two calls of `on_file`, in less than a tenth of a second."""

_ENCRYPTED = 0x1
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('\\:*?"<>|', "_"))
"""Characters that Windows does not allow in the name of a file."""


def is_archive(path: Path) -> bool:
    """Whether a path is a zip archive by its name."""
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def may_hold_images(archive: Path) -> bool:
    """Whether a zip archive holds images, by the names and first bytes of its files.

    Also true if it cannot be read, so that `unpack` tells why. Of the files without an ending of
    images, the first `MAX_EXAMINED` are looked at.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if _is_wanted(member)]
            return any(_is_named_image(Path(member.filename)) for member in members) or any(
                starts_as_dicom(_start(content, member)) for member in members[:MAX_EXAMINED]
            )
    except (OSError, RuntimeError, *_DAMAGED):
        return True


def check_holds_images(archive: Path) -> None:
    """Check before it is unpacked that a zip archive may hold images, see `may_hold_images`.

    Raises
    ------
    CaseError
    """
    if not may_hold_images(archive):
        raise CaseError(f"{archive} {NO_IMAGES}{archives_text(_names_in(archive))}")


def archives_text(names: Iterable[str]) -> str:
    """What to do with the archives among files without images, as a part of a sentence."""
    found = sorted(name for name in names if name.lower().endswith(ARCHIVE_ENDINGS))
    if not found:
        return ""
    if len(found) > 1:
        return f", but {len(found)} archives ({found[0]}, ...); unpack them first"
    return f", but the archive {found[0]}; unpack it first"


def _names_in(archive: Path) -> list[str]:
    try:
        with zipfile.ZipFile(archive) as content:
            return [member.filename for member in content.infolist() if _is_wanted(member)]
    except (OSError, *_DAMAGED):
        return []


def _is_named_image(path: Path) -> bool:
    return is_image_name(path) or is_named_dicom(path.name) or path.name.upper() == "DICOMDIR"


def _start(content: zipfile.ZipFile, member: ZipInfo) -> bytes:
    with content.open(member) as file:
        return file.read(START_BYTES)


@contextmanager
def unpacked(path: Path, on_file: Callable[[int], None] | None = None) -> Iterator[Path]:
    """The folder of a study: the path itself, or a temporary one if it is a zip archive.

    Parameters
    ----------
    path : Path
    on_file : callable, optional
        As in `unpack`.

    Yields
    ------
    Path
        A temporary folder has the name of the archive and is removed at the end of the block, so
        that series are read within it.

    Raises
    ------
    CaseError
        As `unpack`, or if it holds no images.
    """
    if not is_archive(path):
        yield path
        return
    check_holds_images(path)
    with tempfile.TemporaryDirectory(prefix="smalltumor-") as temporary:
        folder = Path(temporary, path.stem)
        unpack(path, folder, on_file)
        yield folder


def unpack(archive: Path, folder: Path, on_file: Callable[[int], None] | None = None) -> None:
    """Unpack the files of a zip archive to a new folder.

    Links, hidden files and files with an absolute path or with ``..`` in it are left out. Nothing
    is written outside the folder, and no more than the archive says.

    Parameters
    ----------
    archive : Path
    folder : Path
        Created.
    on_file : callable, optional
        Called with the number of the file that is unpacked, several times for a large one; an
        exception that it raises ends the work.

    Raises
    ------
    CaseError
        If the archive is missing, damaged, encrypted, or too large.
    """
    try:
        folder.mkdir(parents=True)
        with zipfile.ZipFile(archive) as content:
            wanted = [member for member in content.infolist() if _is_wanted(member)]
            _check(archive, wanted, folder)
            # Of several members of one name, the last is the newest.
            members = {_target(folder, member): member for member in wanted}
            for count, (target, member) in enumerate(members.items(), start=1):
                _write(content, member, target, partial(on_file, count) if on_file else _ignore)
    except FileNotFoundError as error:
        raise CaseError(f"{archive} does not exist") from error
    except _DAMAGED as error:
        raise CaseError(
            f"{archive} is a damaged zip archive, or no zip archive: {error}"
        ) from error
    except OSError as error:
        raise CaseError(f"{archive} cannot be unpacked: {error.strerror or error}") from error


def _is_wanted(member: ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    mode = member.external_attr >> 16
    regular = not member.is_dir() and stat.S_IFMT(mode) in (0, stat.S_IFREG)
    # Hidden files, as of macOS and of archives that were made on it, are no images.
    within = not any(part.startswith((".", "/", "__MACOSX")) for part in parts)
    return regular and within and bool(parts)


def _check(archive: Path, members: list[ZipInfo], folder: Path) -> None:
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise CaseError(f"{archive} is encrypted; unpack it first")
    if len(members) > MAX_FILES:
        raise CaseError(f"{archive} holds {len(members)} files, over the limit of {MAX_FILES}")
    size = sum(member.file_size for member in members)
    if size > MAX_BYTES:
        limit = MAX_BYTES // 2**30
        raise CaseError(
            f"{archive}: {size / 2**30:.0f} GB unpacked are over the limit of {limit} GB"
        )
    free = shutil.disk_usage(folder).free
    if size > free:
        needs = f"{archive} needs {size / 2**30:.2g} GB"
        raise CaseError(f"{needs}, and the disk of {folder.parent} has {free / 2**30:.2g} GB free")


def _target(folder: Path, member: ZipInfo) -> Path:
    parts = [part.translate(_NOT_IN_NAMES) for part in PurePosixPath(member.filename).parts]
    return folder.joinpath(*parts)


def _write(
    content: zipfile.ZipFile, member: ZipInfo, target: Path, on_chunk: Callable[[], None]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Reading ends at the size that the archive states, which has been checked.
    with content.open(member) as source, target.open("xb") as file:
        on_chunk()
        while chunk := source.read(_CHUNK_BYTES):
            file.write(chunk)
            if len(chunk) == _CHUNK_BYTES:
                on_chunk()


def _ignore() -> None:
    """Nobody asked for progress."""
