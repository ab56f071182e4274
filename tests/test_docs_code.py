"""The code in the documentation runs: commands are parsed, Python runs on the sample case."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path
from typing import Any

import pytest
import smalltumor
from documentation import PAGES, ROOT, Block, blocks, name_of, shell_commands
from smalltumor.cli import build_parser
from smalltumor.data.segmentation import Segmentation

WRAPPERS = {"timeout", "torchrun"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```sh" in page.read_text("utf-8")], ids=name_of
)
def test_commands_on_a_page_are_accepted_by_the_parser(page: Path) -> None:
    for block in blocks("sh", "bash"):
        for words in shell_commands(block.code) if block.page == page else []:
            if words[0] == "smalltumor" or (words[0] in WRAPPERS and "smalltumor" in words):
                parse(words[words.index("smalltumor") + 1 :])


def parse(arguments: list[str]) -> None:
    try:
        build_parser().parse_args(arguments)
    except SystemExit as end:
        assert end.code == 0, f"smalltumor {' '.join(arguments)}"


def test_every_command_is_shown_on_a_page() -> None:
    shown = {
        words[words.index("smalltumor") + 1]
        for block in blocks("sh", "bash")
        for words in shell_commands(block.code)
        if "smalltumor" in words[:-1]
    }
    (commands,) = (a.choices for a in build_parser()._actions if isinstance(a.choices, dict))
    assert set(commands) - shown <= {"import-dmfnet", "train-request"}


def test_scripts_and_extras_that_commands_name_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for block in blocks("sh", "bash"):
        for program, *words in shell_commands(block.code):
            if program in ("bash", "python") and words[0].endswith((".sh", ".py")):
                assert (ROOT / words[0]).is_file(), words[0]
            if program == "pip" and "--group" not in words:
                if not words[-1].startswith("."):
                    continue
                extras = words[-1].strip(".[]").split(",")
                assert set(extras) <= set(project["optional-dependencies"]), words[-1]


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: name_of(block.page))
def test_python_on_a_page_runs_on_the_sample_case(
    block: Block,
    defined: dict[str, Any],
    folder_with_case: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = inspect.signature(smalltumor.segment)

    def segment(*values: Any, **options: Any) -> Segmentation:
        """The result of the one segmentation of these tests, if the arguments are possible."""
        assert real.bind(*values, **options).arguments["case"].name == defined["case"].name
        return defined["segmentation"]  # type: ignore[no-any-return]

    monkeypatch.chdir(folder_with_case)
    monkeypatch.setattr(smalltumor, "segment", segment)
    exec(compile(block.code, str(block.page), "exec"), dict(defined))


@pytest.fixture
def folder_with_case(sample_folder: Path, tmp_path: Path) -> Path:
    """A folder that holds the sample case under the name that the pages use."""
    (tmp_path / sample_folder.name).symlink_to(sample_folder)
    return tmp_path


@pytest.fixture(scope="module")
def defined(sample_folder: Path) -> dict[str, Any]:
    """What a block may use without defining it: a case and its segmentation."""
    from smalltumor import load_checkpoint, read_case, segment

    case = read_case(sample_folder)
    return {"case": case, "segmentation": segment(case, load_checkpoint())}
