"""What grows with the cases of a cohort, besides the network, which is left out.

python tests/benchmarks/cohort/cohort_growth.py [--cases 1 10 100 1000] [--folder FOLDER]

Made cases: a part of the sample case of 64 x 64 x 48 voxels under many names, by links. **The
network is replaced by a stand-in** that finds a ball of enhancing tumour wherever it is asked, so
what a case takes here is for comparing numbers of cases only. Each number has a process of its own;
seconds are of the processor, and memory is the peak of that process until then.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.results.lesion_tables import write_lesions
from smalltumor.cohort.results.results import read_results
from smalltumor.cohort.results.results_folder import TABLE, ResultsFolder
from smalltumor.cohort.results.tables import write_rows
from smalltumor.cohort.reviews.worklist import read_worklist
from smalltumor.cohort.settings import CohortSettings
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.inference import predict
from smalltumor.inference.fallback import Attempt, NetworkResult
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.report.cohort_page import cohort_page

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "BraTS2021_00019"
PART = (slice(80, 144), slice(80, 144), slice(60, 108))
PICTURES = 48


def main() -> None:
    """Print a table for each number of cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None:
        measure(options.only, options.folder)
        return
    for count in options.cases:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            make_cases(Path(folder) / "data", count)
            command = [sys.executable, __file__, "--only", str(count), "--folder", folder]
            subprocess.run(command, check=True)


def make_cases(data: Path, count: int) -> None:
    """Write one case, and links to its images under the other names."""
    images = [path for path in SAMPLE.glob("*.nii.gz") if not path.name.endswith("seg.nii.gz")]
    source = data.parent / "source"
    source.mkdir()
    for path in images:
        image = nib.load(path)
        part = np.asarray(image.dataobj)[PART]
        nib.save(nib.Nifti1Image(part, image.affine), source / path.name.split("_")[-1])
    for number in range(count):
        name = f"made_{number:05d}"
        (data / name).mkdir(parents=True)
        for path in source.iterdir():
            (data / name / f"{name}_{path.name}").hardlink_to(path)


def measure(count: int, folder: Path) -> None:
    """Print what each step takes, once all libraries are imported."""
    data, output = folder / "data", folder / "masks"
    predict.run_network = stand_in_network
    settings = CohortSettings(output=output, data=data)
    weights = load_checkpoint()
    run_of(folder / "first", data, weights)
    print(f"{count} cases: {memory():.0f} MB before the first step", flush=True)
    cases = timed("cases found", count, lambda: cohort_cases(data, output))
    rows = timed("run without network", count, lambda: [*segment_cohort(cases, weights, settings)])
    assert all(row.outcome == "segmented" for row in rows)
    results = ResultsFolder(output)
    timed("tables at its end", count, lambda: write_tables(rows, results))
    kept = timed("run again, all kept", count, lambda: [*segment_cohort(cases, weights, settings)])
    assert all(row.outcome == "kept" for row in kept)
    timed("results read", count, lambda: read_results(output))
    timed("worklist read", count, lambda: read_worklist(output))
    timed("page without pictures", count, lambda: cohort_page(output, output / "x.html", most=0))
    timed(
        f"page, {PICTURES} pictures",
        count,
        lambda: cohort_page(output, output / "x.html", most=PICTURES),
    )


def run_of(folder: Path, data: Path, weights: Any) -> None:
    """All steps for one case, so that libraries are imported."""
    settings = CohortSettings(output=folder, data=data)
    rows = [*segment_cohort(cohort_cases(data, folder)[:1], weights, settings)]
    write_tables(rows, ResultsFolder(folder))
    read_worklist(folder)
    cohort_page(folder, folder / "x.html", most=1)


def write_tables(rows: list[Any], results: ResultsFolder) -> None:
    """Write the tables of all cases and of all lesions, as a run does at its end."""
    write_rows(rows, results.path / TABLE)
    write_lesions(rows, results)


def stand_in_network(
    checkpoint: object, array: np.ndarray, settings: object, progress: object
) -> NetworkResult:
    """A ball of enhancing tumour in the middle, and background around it."""
    shape = [n // 2 for n in array.shape[1:]]
    offsets = np.indices(shape) - np.array(shape).reshape(3, 1, 1, 1) / 2
    logits = np.zeros((4, *shape), dtype=np.float32)
    logits[0], logits[3] = 4, np.where(np.linalg.norm(offsets, axis=0) < 4, 8, -8)
    return NetworkResult(HalfResolutionLogits(logits), Attempt("openvino", "cpu", None), "cpu", ())


def timed(step: str, count: int, do: Callable[[], Any]) -> Any:
    """Do a step and print its processor time, that of a case, and the peak memory until then."""
    used = time.process_time()
    result = do()
    used = time.process_time() - used
    print(
        f"  {step:<22}{used:9.3f} s {1000 * used / count:9.2f} ms a case {memory():7.0f} MB",
        flush=True,
    )
    return result


def memory() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
