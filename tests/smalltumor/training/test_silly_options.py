"""Every option of `smalltumor train` with a value that makes no sense ends in one sentence."""

from __future__ import annotations

import shutil

import pytest
from smalltumor.cli import main
from training_cases import write_lesion_cases

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with two cases, a file, an empty folder, and a run of something else."""
    folder = tmp_path_factory.mktemp("options")
    write_lesion_cases(folder / "data", 2)
    (folder / "file").write_text("text")
    (folder / "empty").mkdir()
    (folder / "notarun").mkdir()
    (folder / "notarun" / "config.json").write_text("[]")
    return folder


@pytest.fixture
def place(written, tmp_path, monkeypatch):
    """The working directory, a copy of the folder."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "options, text",
    [
        ("--epochs 0", "epochs = 0 should be"),
        ("--epochs -1", "epochs = -1 should be"),
        ("--crop 0", "crop = 0 should be"),
        ("--crop -16", "crop = -16 should be"),
        ("--crop 50", "crop = 50 should be a multiple of 16"),
        ("--crop 160000 --epochs 1", "not enough memory"),
        ("--batch-size 0", "batch_size = 0 should be"),
        ("--batch-size -2", "batch_size = -2 should be"),
        ("--learning-rate 0", "learning_rate = 0.0 should be"),
        ("--learning-rate -1", "learning_rate = -1.0 should be"),
        ("--learning-rate nan", "learning_rate = nan should be"),
        ("--learning-rate inf", "learning_rate = inf should be"),
        ("--seed -1", "seed = -1 should be"),
        ("--seed 99999999999999999999", "seed = 99999999999999999999 should be"),
        ("--validation-interval 0", "validation_interval = 0 should be"),
        ("--validation-interval -1", "validation_interval = -1 should be"),
        ("--freeze-norms -0.1", "freeze_norms_at = -0.1 should be"),
        ("--freeze-norms nan", "freeze_norms_at = nan should be"),
        ("--patience -1", "patience = -1 should be"),
        ("--folds 1", "folds = 1 "),
        ("--folds 2 --fold 2", "fold = 2 should be"),
        ("--folds 2 --fold -1", "fold = -1 should be"),
        ("--fold 1", "fold = 1 "),
        ("--folds 9 --fold 5", "9 folds need at least 9 patients"),
        ("--validation file", "file is not a folder"),
        ("--validation absent", "absent is not a folder"),
        ("--validation empty", "empty holds no case"),
        ("--validation data", "no case is left"),
        ("--cache file", "file cannot be a cache"),
        ("--cache file/below", "file/below cannot be a cache"),
        ("--card absent", "absent: the card cannot be read"),
        ("--card empty", "empty: the card cannot be read"),
        ("--card file", "file: the card cannot be read"),
        ("--weights absent", "absent: no such file"),
        ("--weights empty", "empty: cannot be read"),
        ("--weights file", "file: not a safetensors file"),
        ("--device meta", "device meta cannot be used"),
        ("--device nonsense", "device nonsense cannot be used"),
        ("--device cpu:-7", "device cpu:-7 cannot be used"),
        ("--run file", "file cannot be created"),
        ("--run file/below", "file/below cannot be created"),
        ("--run notarun", "notarun holds a run already"),
        ("--run notarun --resume", "config.json is damaged"),
        ("--run empty --resume", "empty holds no run to resume"),
        ("--run empty --resume --epochs 9", "empty holds no run to resume"),
        ("DATA absent", "absent is not a folder"),
        ("DATA file", "file is not a folder"),
        ("DATA empty", "empty holds no case"),
        ("DATA file --check", "file is not a folder"),
        ("DATA absent --check", "absent is not a folder"),
        ("DATA empty --check", "empty holds no case"),
    ],
)
def test_it_ends_in_one_sentence(place, capsys, options, text):
    words = options.split()
    data = "data"
    if words[0] == "DATA":
        data, words = words[1], words[2:]
    if "--run" not in words and "--check" not in words:
        words += ["--run", "run"]
    if "--device" not in words:
        words += ["--device", "cpu"]
    assert main(["train", data, *words]) == 1
    error = capsys.readouterr().err
    assert text in error
    assert error.startswith("smalltumor: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "options", ["--epochs x", "--learning-rate x", "--preset x", "--folds 0.5", "--epochs"]
)
def test_a_value_of_another_type_ends_with_the_usage(place, capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["train", "data", "--run", "run", *options.split()])
    assert ended.value.code == 2
    assert "usage: smalltumor train" in capsys.readouterr().err
