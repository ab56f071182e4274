"""The numbers of a report as JSON, which its schema describes, and as a row for REDCap."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from report_cases import GRID, SHAPE, ball, tumour
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.labels.regions import TissueClass
from smalltumor.measures import measure_classes
from smalltumor.report import ReportDetails, as_json, redcap_row, write_json, write_redcap

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "report.schema.json").read_text()
)
PLANE = MidsagittalPlane((1.0, 0.0, 0.0), -63.0, 1.0)


def rim() -> np.ndarray:
    """A rim around a cavity."""
    return ball(ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 9), (22, 30, 20), 7, value=1)


@pytest.fixture(scope="module")
def measures():
    return measure_classes(tumour(), GRID, name="a, b", plane=PLANE)


def test_the_schema_is_valid_json_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "measured",
    [
        measure_classes(tumour(), GRID, name="with all", plane=PLANE),
        measure_classes(np.zeros(SHAPE, np.uint8), GRID, name="empty"),
        measure_classes(rim(), GRID, name="cavity"),
        measure_classes(tumour(), GRID, known=(TissueClass.BACKGROUND, TissueClass.ET)),
    ],
)
def test_json_follows_its_schema(measured, tmp_path):
    write_json(measured, ReportDetails(), tmp_path / "a.json")
    jsonschema.validate(json.loads((tmp_path / "a.json").read_text()), SCHEMA)


def test_the_schema_refuses_other_keys(measures):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(measures, ReportDetails()) | {"more": 1}, SCHEMA)


def test_json_has_the_measures(measures):
    content = as_json(measures, ReportDetails(patient="P", reviewer="R"))
    assert content["volumes_ml"] == measures.volumes_ml
    assert [each["id"] for each in content["lesions"]] == [x.lesion.id for x in measures.lesions]
    assert (content["patient"], content["reviewer"], content["model"]) == ("P", "R", None)


def test_a_row_for_redcap_has_names_that_it_takes(measures, tmp_path):
    row = redcap_row(measures, ReportDetails())
    assert next(iter(row)) == "record_id"
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) for name in row)
    write_redcap([row], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["record_id"] == "a, b"
    assert float(read["et_ml"]) == pytest.approx(measures.volumes_ml["et"])
    assert float(read["sum_product_mm2"]) == pytest.approx(measures.sums.product_mm2, rel=1e-6)
    assert read["reviewer"] == ""


def test_a_cavity_and_the_slice_of_the_diameters_are_in_the_row_and_in_json():
    cavity = measure_classes(rim(), GRID, name="cavity")
    row, content = redcap_row(cavity, ReportDetails()), as_json(cavity, ReportDetails())
    assert (row["et_has_cavity"], row["tc_has_cavity"], row["cavity_lesions"]) == (1, 0, 1)
    assert content["regions"]["et"]["has_cavity"] and content["lesions"][0]["has_cavity"]
    for region in ("et", "tc", "wt"):
        number = cavity.regions[region].axial.slice_number
        assert row[f"{region}_diameters_slice"] == number is not None
    solid = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 6)
    plain = redcap_row(measure_classes(solid, GRID), ReportDetails())
    assert (plain["et_has_cavity"], plain["cavity_lesions"]) == (0, 0)


def test_warnings_are_in_the_row_for_redcap(measures, tmp_path):
    warnings = ("a.nii.gz was made of other images than those of P", "the brain is cut off; look")
    write_redcap([redcap_row(measures, ReportDetails(warnings=warnings))], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["warnings"] == " | ".join(warnings)
    assert redcap_row(measures, ReportDetails())["warnings"] is None


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)"])
def test_no_text_is_a_formula(measures, tmp_path, text):
    write_redcap([redcap_row(measures, ReportDetails(reviewer=text))], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["reviewer"] == f"'{text}"


def test_what_is_not_measured_is_an_empty_cell():
    row = redcap_row(measure_classes(np.zeros(SHAPE, np.uint8), GRID), ReportDetails())
    assert (row["lesions"], row["et_ml"]) == (0, 0.0)
    absent = ("et_axial_mm", "et_side", "sum_product_mm2", "target_lesions", "foci_distance_mm")
    absent += ("et_has_cavity", "et_diameters_slice")
    assert all(row[name] is None for name in absent)


def test_lesions_of_a_mask_that_does_not_tell_et_are_not_counted():
    edema = np.where(tumour() == 0, 0, TissueClass.ED).astype(np.uint8)
    measured = measure_classes(edema, GRID, known=(TissueClass.BACKGROUND, TissueClass.ED))
    row = redcap_row(measured, ReportDetails())
    counts = ("lesions", "small_lesions", "measurable_lesions", "cavity_lesions", "et_ml")
    assert {row[name] for name in counts} == {None}
    content = as_json(measured, ReportDetails())
    assert content["lesions"] is None
    jsonschema.validate(content, SCHEMA)
