"""The command line: results, errors and exit codes."""

from __future__ import annotations

import csv
import gzip
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from second_look_cases import one_candidate
from slicer_files import write_segments
from smalltumor.cli import COMMANDS, main
from smalltumor.cli.progress import ProgressBar
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import Cancelled, SmalltumorWarning
from smalltumor.geometry.grid import Grid
from smalltumor.second_look import SecondLook
from smalltumor.version import software_version
from synthetic import LPS, SHAPE, write_case


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_candidates_are_rows_of_the_table_and_values_of_their_image(
    smalltumor, tmp_path, monkeypatch
):
    monkeypatch.setattr(SecondLook, "candidates", one_candidate)
    case = write_case(tmp_path / "case")
    table, image = tmp_path / "lesions.csv", tmp_path / "candidates.nii.gz"
    code, stdout, stderr = smalltumor(
        *("segment", case, "-o", tmp_path / "mask.nii.gz"),
        *("--lesions", table, "--candidates", image),
    )
    assert code == 0
    assert "scores of lesions were fitted with the weights" in only_line(stderr)
    assert "second look" in stdout and f"wrote {image}" in stdout
    with table.open() as file:
        rows = list(csv.DictReader(file))
    offered = {row["id"]: row for row in rows if row["list"] == "second_look"}
    volume = nib.load(image)
    labels = np.asarray(volume.dataobj)
    np.testing.assert_array_equal(volume.affine, LPS)
    for number, row in offered.items():
        assert np.count_nonzero(labels == int(number)) == int(row["voxels"])
        assert 0 < float(row["score"]) < 1
    assert offered
    assert {int(n) for n in offered} == set(np.unique(labels).tolist()) - {0}
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))


def test_without_t1_the_table_has_no_candidates_and_says_so(smalltumor, dropout_weights, tmp_path):
    case = write_case(tmp_path / "case", modalities="flair t1ce t2")
    code, _, stderr = smalltumor(
        *("segment", case, "-o", tmp_path / "mask.nii.gz", "--lesions", tmp_path / "l.csv"),
        *("--weights", dropout_weights, "--allow-missing"),
    )
    assert code == 0, stderr
    assert "no second look" in stderr
    with (tmp_path / "l.csv").open() as file:
        assert {row["list"] for row in csv.DictReader(file)} <= {"found"}


@pytest.mark.slow
def test_the_mask_of_the_sample_case_has_its_grid_and_header(smalltumor, sample_folder, tmp_path):
    out, table = tmp_path / "mask.nii.gz", tmp_path / "lesions.csv"
    code, stdout, stderr = smalltumor("segment", sample_folder, "-o", out, "--lesions", table)
    assert code == 0, stderr
    assert "whole tumour (WT)" in stdout
    assert f"wrote {out}" in stdout
    mask, source = nib.load(out), nib.load(sample_folder / "BraTS2021_00019_t1ce.nii.gz")
    assert mask.shape == source.shape
    np.testing.assert_array_equal(mask.affine, source.affine)
    for code_name in ("sform_code", "qform_code", "xyzt_units"):
        assert mask.header[code_name] == source.header[code_name]
    assert set(np.unique(mask.dataobj)) <= {0, 1, 2, 4}
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["voxels"]) for row in rows if row["list"] == "found") == np.count_nonzero(
        np.asarray(mask.dataobj) == 4
    )


def test_regions_probabilities_and_schemes_are_written(smalltumor, tmp_path):
    case = write_case(tmp_path / "case")
    out = tmp_path / "mask.nii.gz"
    code, _, stderr = smalltumor(
        *("segment", case, "-o", out, "--labels", "brats2023", "--regions"),
        *("--probabilities", tmp_path / "p.nii.gz"),
    )
    assert code == 0, stderr
    labels = np.asarray(nib.load(out).dataobj)
    assert set(np.unique(labels)) <= {0, 1, 2, 3}
    et = np.asarray(nib.load(tmp_path / "mask_et.nii.gz").dataobj)
    np.testing.assert_array_equal(et == 1, labels == 3)
    probabilities = nib.load(tmp_path / "p.nii.gz").get_fdata()
    np.testing.assert_array_equal(
        probabilities[..., 3] > 0.5, (labels == 3) & (et == 1) & (probabilities[..., 3] > 0.5)
    )
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)


def damaged(tmp_path: Path, kind: str) -> tuple[list[object], str]:
    """A case that is wrong in one way, and what the message must say."""
    case = write_case(tmp_path / "case")
    t1 = case / "case_t1.nii.gz"
    image = nib.load(t1)
    data = np.asanyarray(image.dataobj).astype(np.float32)
    moved = LPS.copy()
    moved[2, 3] = 9
    match kind:
        case "missing modality":
            t1.unlink()
            return [case], "no T1 image"
        case "two files for one modality":
            (case / "case_t1n.nii.gz").write_bytes(t1.read_bytes())
            return [case], "2 files for T1"
        case "other shape":
            nib.save(nib.Nifti1Image(data[:-1], LPS), t1)
            return [case], "case_t1.nii.gz is on another grid"
        case "other affine":
            nib.save(nib.Nifti1Image(data, moved), t1)
            return [case], "case_t1.nii.gz is on another grid"
        case "truncated gzip":
            t1.write_bytes(t1.read_bytes()[:-200])
            return [case], "case_t1.nii.gz is truncated"
        case "text":
            t1.write_text("patient is well")
            return [case], "case_t1.nii.gz is not a NIfTI file"
        case "zeros":
            nib.save(nib.Nifti1Image(data * 0, LPS), t1)
            return [case], "case_t1.nii.gz is empty"
        case "NaN" | "Inf":
            data[9, 9, 9] = np.nan if kind == "NaN" else np.inf
            nib.save(nib.Nifti1Image(data, LPS), case / "case_t1ce.nii.gz")
            return [case], "case_t1ce.nii.gz has NaN or infinite voxels"
        case "5D":
            nib.save(nib.Nifti1Image(data[..., None, None].repeat(2, 3).repeat(2, 4), LPS), t1)
            return [case], "case_t1.nii.gz has the shape"
        case "no such case":
            return [tmp_path / "nowhere"], "nowhere does not exist"
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("missing modality", "two files for one modality", "other shape", "other affine"),
        *("truncated gzip", "text", "zeros", "NaN", "Inf", "5D", "no such case"),
    ],
)
def test_a_bad_case_gives_one_line_and_writes_nothing(smalltumor, tmp_path, kind):
    case, complaint = damaged(tmp_path, kind)
    out = tmp_path / "out"
    out.mkdir()
    code, stdout, stderr = smalltumor("segment", *case, "-o", out / "mask.nii.gz")
    assert (code, stdout) == (1, "")
    assert complaint in only_line(stderr)
    assert list(out.iterdir()) == []


def test_a_bad_output_is_refused_before_the_work(smalltumor, tmp_path):
    case = write_case(tmp_path / "case")
    existing = tmp_path / "mask.nii.gz"
    existing.write_bytes(b"precious")
    source = case / "case_t1.nii.gz"
    before = source.read_bytes()
    for arguments, complaint in [
        (["-o", existing], "exists"),
        (["-o", tmp_path / "nowhere" / "m.nii.gz"], "does not exist"),
        (["-o", tmp_path / "m.png"], "ends in .nii.gz"),
        (["-o", source, "--overwrite"], "one of the case's files"),
        (["-o", tmp_path / "m.nii.gz", "--lesions", tmp_path / "m.nii.gz"], "name of an image"),
        (["-o", tmp_path / "m.nii", "--probabilities", tmp_path / "m.nii"], "two results"),
    ]:
        code, stdout, stderr = smalltumor("segment", case, *arguments)
        assert (code, stdout) == (1, "")
        assert complaint in only_line(stderr)
    assert existing.read_bytes() == b"precious"
    assert source.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case", "mask.nii.gz"]


def test_an_existing_mask_is_overwritten_on_request(smalltumor, tmp_path):
    case = write_case(tmp_path / "case")
    (tmp_path / "mask.nii.gz").write_bytes(b"old")
    code, _, stderr = smalltumor("segment", case, "-o", tmp_path / "mask.nii.gz", "--overwrite")
    assert code == 0, stderr
    assert nib.load(tmp_path / "mask.nii.gz").shape == SHAPE


def test_an_unstripped_head_is_segmented_with_a_warning(smalltumor, tmp_path):
    rng = np.random.default_rng(0)
    for modality in ("flair", "t1ce", "t1", "t2"):
        data = rng.integers(1, 99, (140, 140, 140)).astype(np.int16)
        nib.save(nib.Nifti1Image(data, LPS), tmp_path / f"a_{modality}.nii.gz")
    code, _, stderr = smalltumor("segment", tmp_path, "-o", tmp_path / "mask.nii.gz")
    assert code == 0
    assert "warning: a: the head has 2744 ml" in stderr


def test_lesions_of_the_real_segmentation_are_listed_and_counted_by_size(
    smalltumor, sample_folder, tmp_path
):
    path = sample_folder / "BraTS2021_00019_seg.nii.gz"
    code, stdout, _ = smalltumor("lesions", path, "-o", tmp_path / "l.csv")
    assert code == 0
    assert "2 components of enhancing tumour, 1 small" in stdout
    with (tmp_path / "l.csv").open() as file:
        assert [row["voxels"] for row in csv.DictReader(file)] == ["319", "10056"]
    code, stdout, _ = smalltumor("lesions", path, "--threshold", "300")
    assert "2 components of enhancing tumour, 0 small (*, below 300 mm3)" in stdout


def test_lesions_in_another_scheme_than_the_header_names_come_with_a_warning(smalltumor, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 3:6, 4:7] = 2
    path = tmp_path / "x.nii.gz"
    write_volume(path, mask, Grid(SHAPE, LPS), label_scheme="brats2018")
    code, _, stderr = smalltumor("lesions", path, "--labels", "hd-glio")
    text = "the header of x.nii.gz names brats2018, but it was read as hd-glio"
    assert (code, text in only_line(stderr)) == (0, True)
    assert smalltumor("lesions", path)[2] == ""


@pytest.mark.parametrize("region", ["tc", "wt"])
def test_lesions_of_a_region_that_the_scheme_does_not_tell_are_refused(
    smalltumor, tmp_path, region
):
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 3:6, 4:7] = 2
    path = tmp_path / "x.nii.gz"
    write_volume(path, mask, Grid(SHAPE, LPS), label_scheme="hd-glio")
    table = tmp_path / "x.csv"
    code, stdout, stderr = smalltumor("lesions", path, "--region", region, "-o", table)
    assert (code, stdout, table.exists()) == (1, "", False)
    assert "has no class for necrosis or non-enhancing core (label scheme hd-glio)" in only_line(
        stderr
    )
    assert "1 component of enhancing tumour" in smalltumor("lesions", path)[1]


def test_a_mask_of_edema_alone_is_not_said_to_have_no_lesions(smalltumor, tmp_path):
    path = tmp_path / "x.seg.nrrd"
    write_segments(path, np.ones((3, 3, 3), np.uint8), Grid((3, 3, 3), LPS), [("edema", 1)])
    code, stdout, stderr = smalltumor("lesions", path)
    assert (code, stdout) == (1, "")
    assert "so that its enhancing tumour is not known" in only_line(stderr)


def test_lesions_of_a_mask_that_does_not_give_left_and_right_come_with_a_warning(
    smalltumor, tmp_path
):
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 3:6, 4:7] = 4
    nib.save(nib.Nifti1Image(mask, None), tmp_path / "x_seg.nii.gz")
    code, stdout, stderr = smalltumor("lesions", tmp_path / "x_seg.nii.gz", "--labels", "brats2018")
    assert (code, "1 component" in stdout) == (0, True)
    assert "x_seg.nii.gz: the header does not give left and right" in only_line(stderr)


def test_lesions_are_sorted_by_any_column(smalltumor, sample_folder):
    path = sample_folder / "BraTS2021_00019_seg.nii.gz"
    lines = smalltumor("lesions", path, "--sort", "centroid_r_mm")[1].splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    lines = smalltumor("lesions", path, "--sort", "centroid_a_mm")[1].splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["2", "1"]
    code, _, stderr = smalltumor("lesions", path, "--sort", "beauty")
    assert code == 2
    assert "centroid_r_mm" in only_line(stderr)


def test_a_binary_mask_is_read_by_its_name_or_with_the_labels_option(smalltumor, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 3:6, 4:7] = 1
    for name in ("x_seg.nii.gz", "x_et.nii.gz"):
        nib.save(nib.Nifti1Image(mask, LPS), tmp_path / name)
    code, _, stderr = smalltumor("lesions", tmp_path / "x_seg.nii.gz")
    assert code == 1
    assert "--labels" in only_line(stderr)
    for arguments in (("x_seg.nii.gz", "--labels", "mask"), ("x_et.nii.gz",)):
        code, stdout, _ = smalltumor("lesions", tmp_path / arguments[0], *arguments[1:])
        assert code == 0
        assert "1 component of enhancing tumour, 1 small" in stdout


def test_labels_outside_every_scheme_are_refused(smalltumor, tmp_path):
    nib.save(nib.Nifti1Image(np.full(SHAPE, 9, np.uint8), LPS), tmp_path / "x.nii.gz")
    code, stdout, stderr = smalltumor("lesions", tmp_path / "x.nii.gz", "-o", tmp_path / "x.csv")
    assert (code, stdout) == (1, "")
    assert "x.nii.gz: label values 9 fit no scheme" in only_line(stderr)
    assert not (tmp_path / "x.csv").exists()


def test_published_weights_are_imported_and_used(smalltumor, shared, tmp_path):
    source = shared / "reference" / "dmfnet_small.pth"
    out = tmp_path / "w.safetensors"
    assert smalltumor("import-dmfnet", source, out)[0] == 0
    code, _, stderr = smalltumor("import-dmfnet", source, out)
    assert code == 1
    assert "exists" in only_line(stderr)
    case = write_case(tmp_path / "case")
    assert smalltumor("segment", case, "-o", tmp_path / "m.nii", "--weights", out)[0] == 0


def test_a_file_that_holds_no_weights_is_refused(smalltumor, tmp_path):
    case = write_case(tmp_path / "case")
    path = tmp_path / "w.safetensors"
    path.write_bytes(gzip.compress(b"no weights"))
    code, _, stderr = smalltumor("segment", case, "-o", tmp_path / "m.nii", "--weights", path)
    assert code == 1
    assert "w.safetensors" in only_line(stderr)


def interrupted_with_a_file_aside() -> KeyboardInterrupt:
    error = KeyboardInterrupt()
    error.add_note("a.nii is .smalltumor-0123.kept now")
    return error


def interrupted_import(error: Exception) -> Exception:
    """What is raised if a module is being imported when the program is interrupted."""
    error.__cause__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MemoryError(), 1, "out of memory; close other programs"),
        (KeyboardInterrupt(), 130, "interrupted; no incomplete file was left"),
        (interrupted_with_a_file_aside(), 130, "interrupted; a.nii is .smalltumor-0123.kept now"),
        *(
            (interrupted_import(error), 130, "interrupted; no incomplete file was left")
            for error in (
                RuntimeError("Error calling __set_name__ on 'Field' instance"),  # Python 3.11
                ImportError("initialization failed"),  # a module in C++
            )
        ),
        (Cancelled("cancelled"), 130, "cancelled"),
    ],
)
def test_an_abort_is_reported_in_one_line(smalltumor, monkeypatch, error, code, words):
    def ended(*arguments, **options):
        raise error

    monkeypatch.setattr("smalltumor.data.masks.label_files.read_volume", ended)
    answer = smalltumor("lesions", "mask.nii.gz")
    assert answer[:2] == (code, "")
    assert words in only_line(answer[2])


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"smalltumor {software_version()}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["segment"], ["lesions", "x", "--region", "q"]]
)
def test_a_wrong_command_line_is_a_usage_error(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: smalltumor" in capsys.readouterr().err


def test_every_command_prints_its_help(capsys):
    for command in COMMANDS:
        name = command.__name__.rsplit(".", 1)[-1].replace("_", "-")
        with pytest.raises(SystemExit) as caught:
            main([name, "--help"])
        assert caught.value.code == 0
        assert f"usage: smalltumor {name}" in capsys.readouterr().out


def test_info_lists_versions_and_the_weights(smalltumor, narrow_weights):
    code, stdout, _ = smalltumor("info", "--weights", narrow_weights)
    assert code == 0
    assert "torch" in stdout
    assert "random weights" in stdout


def test_help_loads_neither_torch_nor_napari():
    program = (
        "import sys; from smalltumor.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    loaded = printed.splitlines()[-1].split()
    assert "smalltumor.cli" in loaded
    assert not {"torch", "napari", "numpy", "openvino"} & set(loaded)


def test_a_closed_pipe_is_not_an_error_message(sample_folder):
    path = sample_folder / "BraTS2021_00019_seg.nii.gz"
    command = f"{sys.executable} -m smalltumor.cli lesions {path} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


SLOW_READING = """
import sys, time
import smalltumor.data.read_case
from smalltumor.cli import main

read_case = smalltumor.data.read_case.read_case

def reading(*arguments, **options):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(60)
    return read_case(*arguments, **options)

smalltumor.data.read_case.read_case = reading
sys.exit(main(sys.argv[1:]))
"""


def test_an_interruption_while_a_dataclass_is_created_has_its_exit_code_too(tmp_path):
    """`python -m` would end with SIGINT, which a program that starts the command sees as -2."""
    (tmp_path / "interrupted.py").write_text(
        "import argparse, sys\n"
        "from smalltumor import cli\n"
        "def run(options): exec('raise KeyboardInterrupt')\n"
        "class Parser:\n"
        "    def parse_args(self, arguments): return argparse.Namespace(run=run)\n"
        "cli.build_parser = Parser\n"
        "sys.exit(cli.main())\n"
    )
    command = [sys.executable, "-m", "interrupted"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.stderr == "smalltumor: interrupted; no incomplete file was left\n"
    assert ended.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_leaves_nothing_behind(sample_folder, tmp_path, number):
    words = ["segment", sample_folder, "-o", tmp_path / "m.nii.gz"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_READING, *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr.readline() == "reading\n"
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "smalltumor: interrupted; no incomplete file was left\n"
    assert list(tmp_path.iterdir()) == []


class Terminal:
    """A stream that says it is a terminal and keeps what is written."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_the_progress_bar_moves_and_leaves_only_warnings():
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar(0.5, "segmenting")
        bar.warn("look here")
        bar(1.0, "segmenting")
    assert "[###############...............]  50%" in terminal.text
    assert "100%" in terminal.text
    shown = [line.rsplit("\r", 1)[-1].strip() for line in terminal.text.split("\n")]
    assert shown == ["smalltumor: warning: look here", ""]


def test_a_stopped_training_run_says_how_to_resume_it(smalltumor, monkeypatch):
    monkeypatch.setattr("smalltumor.training.execution.train.train", lambda *args, **options: False)
    code, stdout, _ = smalltumor("train", "cases", "--run", "runs/one")
    assert code == 0
    assert stdout == "to resume: smalltumor train cases --run runs/one --resume\n"


def test_our_own_warnings_are_one_line_and_those_of_others_as_before(smalltumor, monkeypatch):
    def run(options):
        warnings.warn("no locks\nhere", SmalltumorWarning, stacklevel=1)
        warnings.warn("of a library", UserWarning, stacklevel=1)
        return 0

    others = []
    monkeypatch.setattr("smalltumor.cli.commands.info.run", run)
    monkeypatch.setattr(warnings, "showwarning", lambda message, *place: others.append(message))
    before = warnings.showwarning
    code, _, stderr = smalltumor("info")
    assert warnings.showwarning is before
    assert (code, only_line(stderr)) == (0, "smalltumor: warning: no locks here")
    assert [str(message) for message in others] == ["of a library"]


@pytest.mark.parametrize("before", [signal.SIG_DFL, lambda *arguments: None])
def test_a_signal_after_the_work_is_handled_as_before(smalltumor, before):
    signal.signal(signal.SIGTERM, before)
    smalltumor("info")
    assert signal.getsignal(signal.SIGTERM) is before
