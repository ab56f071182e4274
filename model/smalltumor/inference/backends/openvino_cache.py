"""Cache of converted and compiled networks on disk, which OpenVINO loads without torch."""

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

GRAPH_VERSION = 9
"""Version of the converted graph; increase it when `openvino_network.convert` gives another one."""

MAX_NETWORKS = 4
MAX_SHAPES = 8
"""Maximum number of cached networks, and of compiled shapes of each; the oldest are deleted.

A network or compiled shape has about 16 MB."""


class NetworkFolder:
    """The cached files of one network, converted by one version of OpenVINO for one precision.

    Parameters
    ----------
    digest : str
        Digest of the checkpoint.
    version : str
        Version of OpenVINO.
    precision : {"f32", "bf16"}
    """

    def __init__(self, digest: str, version: str, precision: str) -> None:
        key = sha256(f"{digest} {version} {precision} {GRAPH_VERSION}".encode()).hexdigest()[:24]
        self.path = cache_folder() / "openvino" / key

    @property
    def graph(self) -> Path:
        """Path of the converted graph."""
        return self.path / "network.xml"

    @property
    def weights(self) -> Path:
        """Path of the weights of `graph`."""
        return self.path / "network.bin"

    def compiled(self, shape: tuple[int, ...]) -> Path:
        """Path of the network compiled for arrays (l, p, s) of a shape on this processor model."""
        voxels = "x".join(str(n) for n in shape)
        return self.path / f"{voxels}-{_processor_id()}.blob"

    def write_graph(self, save: Callable[[Path, Path], None]) -> None:
        """Write a converted network, and delete the oldest beyond `MAX_NETWORKS`.

        Parameters
        ----------
        save : callable
            Writes the graph and the weights to the two paths passed to it.
        """
        self.discard()
        networks = self.path.parent
        networks.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=networks, prefix=".part-", ignore_cleanup_errors=True) as name:
            part = Path(name)
            save(part / self.graph.name, part / self.weights.name)
            part.rename(self.path)
        for old in _oldest_beyond(list(networks.iterdir()), MAX_NETWORKS):
            shutil.rmtree(old, ignore_errors=True)

    def write_compiled(self, path: Path, content: bytes) -> None:
        """Write a compiled network, and delete the oldest shapes beyond `MAX_SHAPES`."""
        write_bytes(path, content, overwrite=True)
        for old in _oldest_beyond(list(self.path.glob("*.blob")), MAX_SHAPES):
            old.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete all files of the network, for instance if one is damaged."""
        shutil.rmtree(self.path, ignore_errors=True)


def _oldest_beyond(paths: list[Path], count: int) -> list[Path]:
    """All paths but the `count` most recently modified ones."""
    newest_first = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    return newest_first[count:]


def _processor_id() -> str:
    """Eight hex digits that identify the processor model, for cache folders on shared disks."""
    fields = [platform.machine(), platform.processor(), str(os.cpu_count())]
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    fields += [line for line in lines if line.startswith(("model name", "flags", "Features"))][:2]
    return sha256("\n".join(fields).encode()).hexdigest()[:8]
