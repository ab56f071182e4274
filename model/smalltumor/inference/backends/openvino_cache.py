"""Converted networks on disk, so that a later run needs neither torch nor conversion."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from smalltumor.files.atomic import write_bytes
from smalltumor.files.user_dirs import cache_folder

GRAPH_VERSION = 8
"""To be raised when the graph that is converted changes."""

MOST_NETWORKS = 4
MOST_SHAPES = 8
"""Networks kept, and compiled shapes of each; the oldest go first. Each has 16 MB."""


class NetworkFolder:
    """The files of one network, converted by one version of OpenVINO for one precision.

    Parameters
    ----------
    digest : str
        Of the checkpoint.
    version : str
        Of OpenVINO.
    precision : {"f32", "bf16"}
    """

    def __init__(self, digest: str, version: str, precision: str) -> None:
        key = sha256(f"{digest} {version} {precision} {GRAPH_VERSION}".encode()).hexdigest()[:24]
        self.path = cache_folder() / "openvino" / key

    @property
    def graph(self) -> Path:
        """The graph."""
        return self.path / "network.xml"

    @property
    def weights(self) -> Path:
        """The weights that belong to `graph`."""
        return self.path / "network.bin"

    def compiled(self, shape: tuple[int, ...]) -> Path:
        """The compiled network for one shape and kind of processor."""
        voxels = "x".join(str(n) for n in shape)
        return self.path / f"{voxels}-{_processor()}.blob"

    def write_graph(self, save: Callable[[Path, Path], None]) -> None:
        """Keep a converted network; older networks make room.

        Parameters
        ----------
        save : callable
            Writes graph and weights to the two paths it is given.
        """
        self.discard()
        networks = self.path.parent
        networks.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=networks, prefix=".part-", ignore_cleanup_errors=True) as name:
            part = Path(name)
            save(part / self.graph.name, part / self.weights.name)
            part.rename(self.path)
        for old in _all_but_newest(list(networks.iterdir()), MOST_NETWORKS):
            shutil.rmtree(old, ignore_errors=True)

    def write_compiled(self, path: Path, content: bytes) -> None:
        """Keep a compiled network; older shapes make room."""
        write_bytes(path, content, overwrite=True)
        for old in _all_but_newest(list(self.path.glob("*.blob")), MOST_SHAPES):
            old.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget everything about the network, as when a file turns out damaged."""
        shutil.rmtree(self.path, ignore_errors=True)


def _all_but_newest(paths: list[Path], count: int) -> list[Path]:
    aged = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    return aged[count:]


def _processor() -> str:
    """Eight hex digits that differ where another machine shares the cache folder."""
    facts = [platform.machine(), platform.processor(), str(os.cpu_count())]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts += [line for line in lines if line.startswith(("model name", "flags", "Features"))][:2]
    return sha256("\n".join(facts).encode()).hexdigest()[:8]
