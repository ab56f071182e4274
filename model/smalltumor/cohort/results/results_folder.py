"""The files of a cohort's results."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.naming.cohort_names import PAGE, REVIEWS, SETTINGS
from smalltumor.data.naming.export_names import region_paths
from smalltumor.errors import OutputError
from smalltumor.files.existence import exists
from smalltumor.files.listings import entries

__all__ = ["LESIONS", "PAGE", "PARQUET", "SETTINGS", "SUMMARIES", "TABLE", "ResultsFolder"]

TABLE = "cohort.csv"
LESIONS = "lesions.csv"
PARQUET = {TABLE: "cohort.parquet", LESIONS: "lesions.parquet"}
"""The names of both tables as Parquet."""
SUMMARIES = (LESIONS, *PARQUET.values(), PAGE)
"""Files of all cases that are written when a run has ended."""
_LESIONS_OF_CASE = "_lesions.csv"


class ResultsFolder:
    """Results of many cases, all made with the same settings.

    A file of a case is written by the process that segments the case, and every other file by the
    one process that holds the folder, see `smalltumor.cohort.lock.locked_results`.

    Parameters
    ----------
    path : Path
        Holds ``CASE.nii.gz``, ``CASE_lesions.csv`` and ``CASE_run.json`` for each case, region
        masks where they were asked for, the `TABLE`, that of all `LESIONS`, and in `SETTINGS` how
        the masks were made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def mask(self, case: str) -> Path:
        """Path of a case's mask. It is written last: a case with a mask is done."""
        return self.path / f"{case}.nii.gz"

    def lesions(self, case: str) -> Path:
        """Path of a case's lesion table."""
        return self.path / f"{case}{_LESIONS_OF_CASE}"

    def record(self, case: str) -> Path:
        """Path of the record of how a case's mask was made, a `CohortCaseRecord`."""
        return self.path / f"{case}_run.json"

    def candidates(self, case: str) -> Path:
        """Path of the label image of a case's candidates."""
        return self.path / f"{case}_candidates.nii.gz"

    @property
    def reviews(self) -> Path:
        """Folder of the masks that readers have reviewed, see `smalltumor.cohort.reviews`."""
        return self.path / REVIEWS

    def regions(self, case: str) -> list[Path]:
        """Paths of a case's region masks."""
        return list(region_paths(self.mask(case)).values())

    def files(self, case: str) -> list[Path]:
        """All files that a case may have."""
        files = self.mask(case), self.lesions(case), self.record(case), self.candidates(case)
        return [*files, *self.regions(case)]

    def has(self, path: Path) -> bool:
        """Whether one of the files, or the folder of the reviews, exists.

        Raises
        ------
        OutputError
            If that cannot be told, as on a drive that fails: the file may be there.
        """
        return exists(path, unreachable=OutputError)

    def has_regions(self, case: str) -> bool:
        """Whether all region masks of a case exist; raises as `has`."""
        return all(map(self.has, self.regions(case)))

    def has_any_region(self, case: str) -> bool:
        """Whether a region mask of a case exists; raises as `has`."""
        return any(map(self.has, self.regions(case)))

    def cases_with_tables(self) -> list[str]:
        """Names of the cases that have a lesion table.

        Raises
        ------
        CaseError
            If the folder cannot be listed.
        """
        names = [path.name for path in entries(self.path)]
        found = (name for name in names if name.endswith(_LESIONS_OF_CASE))
        return [name.removesuffix(_LESIONS_OF_CASE) for name in found]
