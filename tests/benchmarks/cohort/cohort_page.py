"""Time, memory and size of the page of a cohort of many cases.

    smalltumor cohort CASES -o MASKS --candidates
    python tests/benchmarks/cohort/cohort_page.py MASKS --cases 1000 [--pictures 48]

The cases of MASKS are listed again and again under other names, by links to their files.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from smalltumor.cli import main as smalltumor
from smalltumor.cohort.results.results import read_info, read_results
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE, ResultsFolder
from smalltumor.cohort.results.tables import write_rows
from smalltumor.data.naming.find_cases import find_cases


def main() -> None:
    """Print seconds, peak memory and the size of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("masks", type=Path)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--pictures", default="48")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = repeated(options.masks.resolve(), options.cases, Path(folder))
        started = time.monotonic()
        assert smalltumor(["cohort-report", str(results), "--pictures", options.pictures]) == 0
        seconds = time.monotonic() - started
        megabytes = (results / "cohort.html").stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.cases} cases: {seconds:.1f} s, peak {peak:.0f} MB, page {megabytes:.2f} MB")


def repeated(masks: Path, count: int, folder: Path) -> Path:
    """Results that list the cases of others again and again."""
    data = read_info(masks).data
    assert data is not None
    files = {case.name: case for case in find_cases(data)}
    made = [result.row for result in read_results(masks) if not result.failed]
    source, results = ResultsFolder(masks), ResultsFolder(folder / "masks")
    results.path.mkdir()
    rows = []
    for number, row in enumerate(itertools.islice(itertools.cycle(made), count)):
        name = f"made_{number:05d}"
        for kind in ("mask", "lesions", "record"):
            getattr(results, kind)(name).symlink_to(getattr(source, kind)(row.case))
        images = folder / "data" / name
        images.mkdir(parents=True)
        for modality, paths in files[row.case].modalities.items():
            (images / f"{name}_{modality}.nii.gz").symlink_to(paths[0].resolve())
        rows.append(replace(row, case=name))
    write_rows(rows, results.path / TABLE)
    settings = json.loads((masks / SETTINGS).read_text()) | {"data": str(folder / "data")}
    (results.path / SETTINGS).write_text(json.dumps(settings))
    return results.path


if __name__ == "__main__":
    main()
