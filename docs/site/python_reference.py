"""The reference of the Python interface, as directives for mkdocstrings."""

from __future__ import annotations

INTRODUCTION = """\
# Python

What scripts and notebooks need. The names of the first section are imported from `smalltumor`;
those of the others from the package that is named. Nothing imports PyTorch before it is needed.
"""

SECTIONS = {
    "Segment a case": {
        "smalltumor": (
            "data.read_case.read_case",
            "data.case.Case",
            "models.checkpoint.load_checkpoint",
            "models.checkpoint.random_checkpoint",
            "models.checkpoint.Checkpoint",
            "inference.predict.segment",
            "data.segmentation.Segmentation",
            "data.segmentation.write_segmentation",
            "data.masks.label_files.read_labels",
            "data.sample.sample_case_folder",
            "labels.regions.Region",
            "lesions.find.find_lesions",
            "lesions.measure.Lesion",
            "errors.SmalltumorError",
        )
    },
    "Measures": {
        "smalltumor.measures": (
            "measures.case_measures.measure_case",
            "measures.case_measures.CaseMeasures",
            "measures.case_measures.RegionMeasures",
            "measures.case_measures.LesionMeasures",
        )
    },
    "Second look": {
        "smalltumor.second_look": (
            "second_look.second_look.second_look",
            "second_look.second_look.SecondLook",
        )
    },
    "Follow-up": {
        "smalltumor.follow_up": (
            "follow_up.compare.compare_scans",
            "follow_up.compare.FollowUp",
            "follow_up.compare.Scan",
        )
    },
}


def python_reference() -> str:
    """The page in Markdown: a section for each subject."""
    parts = [INTRODUCTION]
    for title, packages in SECTIONS.items():
        for package, names in packages.items():
            parts.append(f"## {title}\n\nFrom `{package}`:\n")
            parts += [f"::: smalltumor.{name}\n" for name in names]
    return "\n".join(parts)
