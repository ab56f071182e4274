"""The list of packages; everything else is in pyproject.toml.

They come from three folders, which `packages.find` in pyproject.toml cannot express.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["napari_smalltumor", "napari_smalltumor.*"]),
        *find_packages("model"),
        "smalltumor.sample_data",
    ]
)
