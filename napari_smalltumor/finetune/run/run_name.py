"""The name of the run that is shown, and its training folder if another one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_smalltumor import weights
from napari_smalltumor.finetune.runs_folder import RUNS


@dataclass(frozen=True)
class RunName:
    """A run beside a training folder, which need not be the one that it was trained on.

    Parameters
    ----------
    run : Path
        The run folder.
    other_folder : Path or None
        The training folder of the run, if it is not the chosen one.
    """

    run: Path
    other_folder: Path | None = None

    @property
    def line(self) -> str:
        """The run in a line of its own."""
        return f"Run {self.run.name}"

    @property
    def folder_line(self) -> str:
        """The training folder of the run; empty if it is the chosen one."""
        return f"Trained on another folder: {self.other_folder}" if self.other_folder else ""

    def title_of(self, path: Path) -> str:
        """Title of weights of the run, as a part of a sentence."""
        trained_on = f", trained on {self.other_folder}" if self.other_folder else ""
        return f"{weights.title(path)}{trained_on}"


def run_name(run: Path, data: Path | None, chosen: Path | None) -> RunName:
    """Name a run.

    Parameters
    ----------
    run : Path
        The run folder.
    data : Path or None
        The training folder that the run records.
    chosen : Path or None
        The training folder that is chosen.
    """
    folder = trained_on(run, data)
    if folder is None or chosen is None or folder.resolve() == chosen.resolve():
        return RunName(run)
    return RunName(run, folder)


def trained_on(run: Path, data: Path | None) -> Path | None:
    """The training folder of a run: what it records, or where it is now if it was moved since."""
    if run.parent.name == RUNS and (data is None or not data.is_dir()):
        return run.parent.parent
    return data
