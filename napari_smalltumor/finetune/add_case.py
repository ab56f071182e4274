"""Copy a corrected case into the training folder, in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import Case
from smalltumor.labels.masks import Classes
from smalltumor.training.data.dataset_folder import DatasetLister, DatasetListing, add_case

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Adding:
    """Put a case into the training folder and look at what is in it; calling it does so."""

    folder: Path
    case: Case
    classes: Classes
    link: bool
    replace: bool
    lister: DatasetLister

    def __call__(self) -> DatasetListing:
        """Raises `SmalltumorError` with one line for the user."""
        add_case(self.folder, self.case, self.classes, link=self.link, replace=self.replace)
        return self.lister.list_cases(self.folder)
