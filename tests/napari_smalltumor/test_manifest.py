"""The manifest names what is there, and costs napari's start nothing."""

import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES
from smalltumor.labels.small_lesions import SMALL_LESION_MM3, SPECK_MM3

import napari_smalltumor

PATH = Path(napari_smalltumor.__file__).with_name("napari.yaml")


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(PATH)


def test_every_command_is_there(manifest):
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_a_command_that_needs_arguments_cannot_be_run_from_the_palette(manifest):
    # napari passes only the viewer; widgets and sample data are opened in their own way.
    opened = [w.command for w in manifest.contributions.widgets]
    opened += [sample.command for sample in manifest.contributions.sample_data]
    for command in manifest.contributions.commands:
        if command.id in opened:
            continue
        module, name = command.python_name.split(":")
        parameters = signature(getattr(import_module(module), name)).parameters
        runs = all(p.annotation == "Viewer" for p in parameters.values())
        assert (command.enablement is None) == runs, command.id


def test_every_menu_takes_plugins_commands(manifest):
    ours = {command.id for command in manifest.contributions.commands}
    for menu, items in manifest.contributions.menus.items():
        assert menu in {str(m) for m in MenuId.contributables()}
        assert {item.command for item in items} <= ours


def test_defaults_are_those_of_the_package(manifest):
    pages = manifest.contributions.configurations
    lesions = pages["lesions"].properties
    assert lesions["threshold"].default == SMALL_LESION_MM3
    assert lesions["speck_below_mm3"].default == SPECK_MM3
    scheme = pages["segmentation"].properties["scheme"]
    assert scheme.default == DEFAULT_SCHEME
    assert set(scheme.enum) == set(SCHEMES)


def last_line(script: str) -> str:
    """What a fresh Python prints last."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_starting_napari_imports_nothing_of_ours():
    script = (
        "import sys, napari, npe2\n"
        "npe2.PluginManager.instance().discover()\n"
        "print([m for m in sys.modules if m.startswith(('napari_smalltumor', 'smalltumor'))],"
        " 'torch' in sys.modules)"
    )
    assert last_line(script) == "[] False"


def test_a_menus_module_imports_no_network():
    script = (
        "import sys\n"
        "from napari_smalltumor import settings\n"
        "from napari_smalltumor.export import writer\n"
        "from napari_smalltumor.loading import open_case, reader, sample_data\n"
        "print([m for m in ('torch', 'monai', 'openvino', 'qtpy') if m in sys.modules])"
    )
    assert last_line(script) == "[]"


@pytest.mark.slow
def test_the_segment_dock_imports_neither_networks_nor_file_formats():
    """nibabel takes a third of a second: it imports pydicom, and with it an HTTP library."""
    script = (
        "import sys\n"
        "from napari_smalltumor.segment import dock\n"
        "heavy = ('torch', 'openvino', 'nibabel', 'pydicom', 'SimpleITK', 'requests')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert last_line(script) == "[]"
