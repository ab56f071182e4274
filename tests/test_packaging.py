"""What an installation carries, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]

CARRIED = [
    "napari_smalltumor/napari.yaml",
    "smalltumor/sample_data/BraTS2021_00019/BraTS2021_00019_t1ce.nii.gz",
    "smalltumor/sample_data/BraTS2021_00019/BraTS2021_00019_seg.nii.gz",
    "smalltumor/sample_data/README.md",
    "smalltumor/py.typed",
    "smalltumor/report/templates/case.html.j2",
]

LOOK = """
import importlib.resources as resources, sys
import smalltumor
assert "torch" not in sys.modules and "napari" not in sys.modules
folder = smalltumor.sample_case_folder()
assert len(list(folder.glob("*.nii.gz"))) == 5, folder
assert resources.files("napari_smalltumor").joinpath("napari.yaml").is_file()
from smalltumor.models.checkpoint import load_checkpoint
assert load_checkpoint().card["name"]
print(smalltumor.__file__)
"""


def tracked_files() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [name for name in listing.split("\0") if name]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Folder of the sdist and the wheel, built from a copy of what git tracks."""
    copy = tmp_path_factory.mktemp("source")
    for name in tracked_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist", copy],
        check=True,
        capture_output=True,
    )
    return copy / "dist"


@pytest.mark.slow
def test_wheel_and_sdist_carry_manifest_sample_case_and_weights(built):
    weights = [
        f"smalltumor/weights/{p.name}" for p in (ROOT / "model/smalltumor/weights").glob("*.s*")
    ]
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert set(CARRIED + weights) <= names
    modules = {name.removeprefix("model/") for name in tracked_files() if name.endswith(".py")}
    assert {m for m in modules if m.startswith(("napari_smalltumor/", "smalltumor/"))} <= names
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        packed = {name.split("/", 1)[-1] for name in sdist.getnames()}
    assert "napari_smalltumor/napari.yaml" in packed
    assert "sample_data/BraTS2021_00019/BraTS2021_00019_t1ce.nii.gz" in packed
    assert {f"model/{name}" for name in weights} <= packed


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(built, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    python = tmp_path / "empty" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, next(built.glob("*.whl"))], check=True)
    # Dependencies come from this environment, the package from the wheel.
    (site,) = (p for p in map(Path, sys.path) if p.name == "site-packages")
    found = subprocess.run(
        [python, "-c", "import sys; sys.path.append(sys.argv[1])\n" + LOOK, str(site)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(tmp_path))


@pytest.mark.slow
def test_the_index_of_packages_accepts_wheel_and_sdist(built):
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built.iterdir()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_conda_recipe_has_the_version_and_the_requirements_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    recipe = yaml.safe_load((ROOT / ".ci/conda/recipe.yaml").read_text("utf-8"))
    names = {"isal": "python-isal", "lazy_loader": "lazy-loader", "torch": "pytorch"}
    wanted = {f"python {project['requires-python']}"}
    for line in project["dependencies"]:
        name, bound = line.partition(";")[0].split(">=")
        wanted.add(f"{names.get(name, name)} >={bound}")
    assert set(recipe["requirements"]["run"]) == wanted
    assert recipe["context"]["version"] == project["version"]


def test_the_top_manifest_is_the_packaged_one():
    assert (ROOT / "napari.yaml").readlink() == Path("napari_smalltumor/napari.yaml")


@pytest.mark.parametrize("module", ["smalltumor", "smalltumor.cli", "napari_smalltumor"])
def test_nothing_heavy_is_imported_before_it_is_needed(module):
    heavy = ["torch", "monai", "openvino", "scipy", "skimage", "numpy"]
    heavy += [] if module == "napari_smalltumor" else ["napari", "qtpy"]
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not set(heavy) & set(loaded)
