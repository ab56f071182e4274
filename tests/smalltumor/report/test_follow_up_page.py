"""The page and the numbers of a follow-up: a new small lesion comes first."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from referencing import Registry, Resource
from report_cases import SHAPE, Page, ball, brain_case, tumour
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import (
    BASIS,
    RULE,
    UNKNOWN,
    Category,
    ChangeKind,
    Response,
    Scan,
    ScanRegistration,
    compare_registered,
)
from smalltumor.labels.regions import TissueClass
from smalltumor.measures import measure_case, measure_classes
from smalltumor.report import ReportDetails
from smalltumor.report.course_figure import draw_course
from smalltumor.report.follow_up_files import follow_up_json, write_changes, write_follow_up_json
from smalltumor.report.follow_up_page import change_rows, follow_up_page, headline

DOCS = Path(__file__).resolve().parents[3] / "docs"
UNMOVED = ScanRegistration(np.eye(4), 0.8, 0.98)


def scan(classes, name: str, date: str = "") -> Scan:
    case = brain_case(name)
    measures = measure_case(case, Segmentation(name, classes, case.grid))
    return Scan(case, classes, measures, date, f"{name}_seg.nii.gz")


@pytest.fixture(scope="module")
def later():
    """A new small lesion; the large one has grown, and a small one is gone."""
    classes = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 8)
    return ball(classes, (40, 20, 25), 1.5)


@pytest.fixture(scope="module")
def follow_up(later):
    scans = [scan(tumour(), "P_visit1", "2026-01-01"), scan(later, "P_visit2", "2026-03-01")]
    return compare_registered(scans, [UNMOVED])


@pytest.fixture(scope="module")
def page(follow_up) -> Page:
    return Page(follow_up_page(follow_up, ReportDetails(patient="P", reviewer="R")))


def test_the_new_small_lesion_comes_first(page, follow_up):
    assert [each.kind.value for each in follow_up.changes] == ["new", "grown", "gone"]
    new = follow_up.changes[0]
    assert headline(follow_up).startswith(f"1 new enhancing lesion: {new.current_mm3:,.0f} mm³")
    assert page.text.index("1 new enhancing lesion") < page.text.index("Compared 2026-03-01")
    assert page.text.index(" new – ") < page.text.index(" grown ") < page.text.index(" gone ")


WITHOUT_ET = (TissueClass.ED,)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_mask_that_does_not_tell_enhancing_tumour_is_no_response(later, tmp_path, number):
    """Its lesions would be listed as gone, or those of the others as new."""
    scans = [scan(tumour(), f"P_visit{n}", f"2026-0{n}-01") for n in (1, 2)]
    scans.append(scan(later, "P_visit3", "2026-03-01"))
    edema = np.where(scans[number].classes > 0, TissueClass.ED.value, 0).astype(np.uint8)
    measures = measure_classes(edema, scans[number].case.grid, name="P", known=WITHOUT_ET)
    scans[number] = replace(scans[number], classes=edema, measures=measures)

    found = compare_registered(scans, [UNMOVED, UNMOVED])

    reason = f"the mask of 2026-0{number + 1}-01 has no class for enhancing tumour"
    assert found.response == Response(Category.NOT_EVALUABLE, (reason,), (None, None, None))
    content = follow_up_json(found, ReportDetails())
    assert content["response"]["category"] is None and content["response"]["reasons"] == [reason]
    text = Page(follow_up_page(found, ReportDetails())).text
    rows = [" ".join(row) for row in re.findall(r"(\d)\. 2026-0\d-01 .*? (\d+|–) – ", text)]
    assert [row.endswith("–") for row in rows] == [n == number for n in range(3)]
    if number == 0:
        assert len(found.changes) == 3 and headline(found).startswith("1 new enhancing lesion")
    else:
        assert found.changes == () and content["changes"] is None
        assert headline(found) == f"Enhancing lesions are not compared: {reason}"
        assert f"Enhancing lesions are not compared: {reason}." in text
        assert "no enhancing lesion in either scan" not in text


def test_a_new_lesion_beside_a_known_one_has_its_distance(follow_up, tmp_path):
    new, *others = follow_up.changes
    beside = replace(follow_up, changes=(replace(new, beside_mm=1.44), *others))
    assert headline(beside).endswith(", 1.4 mm from a known lesion)")
    write_changes(beside, ReportDetails(), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        assert [row["beside_mm"] for row in csv.DictReader(file)] == ["1.44", "", ""]


def test_the_headline_tells_specks_from_other_new_lesions(follow_up):
    new = follow_up.changes[0]
    lesion = new.current[0]
    speck = replace(new, current=(replace(lesion, lesion=replace(lesion.lesion, mm3=1.0)),))
    found = headline(replace(follow_up, changes=(new, speck, speck)))
    assert found.startswith("3 new enhancing lesions, 2 of them below 20 mm³: ")
    assert "below" not in headline(replace(follow_up, changes=(speck,)))


def test_without_a_new_lesion_the_headline_says_what_has_grown(follow_up):
    """Lesions that have merged and are larger together count, too."""
    _, grown, gone = follow_up.changes
    merged = replace(grown, kind=ChangeKind.MERGED)
    known = replace(follow_up, changes=(merged, grown, gone))
    assert headline(known) == "No new enhancing lesion, but 2 have grown"
    assert headline(replace(follow_up, changes=(gone,))) == "No new enhancing lesion"


def test_the_headline_says_which_lesions_may_be_gone_in_the_mask_only(follow_up):
    *_, gone = follow_up.changes
    still = replace(gone, bright_current=True)
    assert headline(replace(follow_up, changes=(still,))) == (
        "No new enhancing lesion; 1 lesion is listed as gone, but its place is still bright in T1CE"
    )
    unknown = replace(gone, kind=ChangeKind.NOT_COMPARABLE)
    assert headline(replace(follow_up, changes=(gone, still, still, unknown))) == (
        "No new enhancing lesion; 2 lesions are listed as gone, but their places are still bright "
        "in T1CE; 1 lesion cannot be compared"
    )


def test_diameters_are_given_with_their_slices(page, follow_up):
    grown = follow_up.changes[1]
    for lesions in (grown.earlier, grown.current):
        lesion = lesions[0].lesion
        axial, mark = lesion.axial, "‡" if lesion.axial.has_cavity else ""
        text = f"{axial.longest_mm:.1f} × {axial.perpendicular_mm:.1f}{mark}"
        assert f"{text} ({lesion.diameters_slice})" in page.text


def test_it_gives_the_category_with_its_rule_and_what_is_not_known(page, follow_up):
    assert f"RANO, from measurements only: {follow_up.response.category.value}" in page.text
    assert all(text in page.text for text in (RULE, BASIS, UNKNOWN))


def test_it_is_self_contained_and_has_texts_for_its_pictures(page):
    assert len(page.all("img")) == 3 * 2 + 1 + 2  # pairs, the course, the largest slice
    assert all(p["src"].startswith("data:") and p["alt"] for p in page.all("img"))
    assert not page.all("script") and not page.all("link")


def test_text_of_files_is_no_markup(follow_up):
    evil = "<script>x</script>"
    scans = [replace(each, date=evil, mask=evil) for each in follow_up.scans]
    details = ReportDetails(evil, evil, evil, evil, evil, (evil,))
    assert not Page(follow_up_page(replace(follow_up, scans=tuple(scans)), details)).all("script")


def test_what_is_doubtful_of_a_lesion_is_in_its_row_and_may_be_broken(follow_up):
    """A long line that cannot be broken makes all of a page smaller when it is printed."""
    new, *others = follow_up.changes
    doubtful = replace(follow_up, changes=(replace(new, bright_earlier=True), *others))
    html = follow_up_page(doubtful, ReportDetails())
    (row,) = re.findall(r'<tr class="first">(.*?)</tr>', html, re.DOTALL)
    assert "</span>; the earlier image is bright here, too</td>" in row
    assert headline(doubtful).endswith("; the earlier image is bright here, too)")


def test_without_any_lesion_it_says_so():
    empty = np.zeros(SHAPE, np.uint8)
    found = compare_registered([scan(empty, "a"), scan(empty, "b")], [UNMOVED])
    page = Page(follow_up_page(found, ReportDetails()))
    assert "No new enhancing lesion" in page.text
    assert "There is no enhancing lesion in either scan" in page.text
    assert "RANO, from measurements only: not evaluable" in page.text
    assert follow_up_json(found, ReportDetails())["response"]["category"] is None


@pytest.mark.parametrize("title", ["$\\foo$ and $", "a name of a case that is longer than a label"])
def test_any_title_can_be_printed(follow_up, title):
    scans = tuple(replace(each, date=title) for each in follow_up.scans)
    page = Page(follow_up_page(replace(follow_up, scans=scans), ReportDetails()))
    assert f"1. {title}" in page.text and f"2. {title}" in page.text


def test_headline_picture_caption_and_table_name_one_slice():
    """Also where another slice has more of the lesion than that of its centre."""
    current = np.zeros(SHAPE, np.uint8)
    current[20:26, 20:26, 10:12] = 3
    current[22:24, 22:24, 12:30] = 3
    found = compare_registered(
        [scan(np.zeros(SHAPE, np.uint8), "a"), scan(current, "b")], [UNMOVED]
    )
    lesion = found.changes[0].current[0].lesion
    page = Page(follow_up_page(found, ReportDetails()))
    centre = lesion.slices[0]
    assert centre not in (28, 29)
    assert page.text.count(f"{lesion.side}, axial {centre}") == 3
    assert any(picture["alt"].endswith(f"in axial slice {centre}") for picture in page.all("img"))


def caption_if_cut_off(found, gone) -> str:
    """Text of the page of a lesion of which the current scan shows less."""
    cut_off = replace(gone, kind=ChangeKind.NOT_COMPARABLE, shown_earlier=1.0, shown_current=0.3)
    return Page(follow_up_page(replace(found, changes=(cut_off,)), ReportDetails())).text


def test_the_caption_of_a_lesion_that_is_gone_names_its_slice_in_both_scans(follow_up):
    """The head is three slices lower in the current scan."""
    lower = np.eye(4)
    lower[2, 3] = -9.0
    found = compare_registered(follow_up.scans, [ScanRegistration(lower, 0.8, 0.98)])
    gone = next(each for each in found.changes if not each.current)
    earlier = gone.earlier[0].lesion.slices[0]
    page = Page(follow_up_page(found, ReportDetails()))
    assert f"axial {earlier} of the earlier scan, {earlier + 3} of the current one" in page.text
    assert "of the current one; the current scan shows 30% of it" in caption_if_cut_off(found, gone)
    alts = [picture["alt"] for picture in page.all("img")]
    assert sum(alt.endswith(f"in axial slice {earlier + 3}") for alt in alts) >= 2


def test_each_picture_of_a_pair_says_of_which_scan_it_is(follow_up):
    html = follow_up_page(follow_up, ReportDetails())
    pairs = re.findall(r'<figure class="pair">(.*?)</figure>', html, re.DOTALL)
    assert len(pairs) == 3
    for pair in pairs:
        found = re.findall(r"<span>(\w+)</span><img src=\S+ alt=\"[^\"]*(2026-\d\d-\d\d)", pair)
        assert found == [("earlier", "2026-01-01"), ("current", "2026-03-01")]


def test_no_two_columns_of_a_table_have_one_title(follow_up):
    html = follow_up_page(follow_up, ReportDetails())
    for head in re.findall(r"<thead>(.*?)</thead>", html, re.DOTALL):
        titles = re.findall(r"<th [^>]*>([^<]*)</th>", head)
        assert titles and len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("dates", "printed"),
    [
        (("", ""), "Scan dates not stated"),
        (("2026-01-01", ""), "Scan dates 2026-01-01, P_visit2: not stated"),
        (("2026-01-01", "2026-03-01"), None),
    ],
)
def test_a_date_that_is_not_stated_is_said_to_be_missing(follow_up, dates, printed):
    scans = tuple(replace(s, date=d) for s, d in zip(follow_up.scans, dates, strict=True))
    page = Page(follow_up_page(replace(follow_up, scans=scans), ReportDetails()))
    assert printed is None or printed in page.text
    assert ("Scan dates" in page.text) == (printed is not None)


def test_dates_are_printed_on_one_line(page):
    assert page.text.count("1. 2026-01-01") == 1
    assert [cell.get("class") for cell in page.all("th")].count("short") == 2


def test_short_titles_of_scans_are_not_broken_and_names_of_cases_not_repeated(later):
    scans = [scan(tumour(), "P_1", "visit 1"), scan(later, "P_2")]
    html = follow_up_page(compare_registered(scans, [UNMOVED]), ReportDetails())
    assert '<th scope="row" class="short">1. visit 1</th>' in html
    assert '<th scope="row" class="short">2.</th><td class="word name">P' in html


def test_many_lesions_that_have_merged_are_counted(follow_up):
    grown = follow_up.changes[1]
    lesion = grown.earlier[0]
    many = [replace(lesion, lesion=replace(lesion.lesion, id=n)) for n in range(40, 7, -1)]
    (row,) = change_rows([replace(grown, kind=ChangeKind.MERGED, earlier=tuple(many))])
    assert row.earlier == "33 lesions"


def test_tables_can_be_scrolled_by_keys(page):
    names = [each["aria-label"] for each in page.all("div") if each.get("tabindex") == "0"]
    assert names == ["Table of lesions", "Table of scans"]


def test_a_course_without_a_measurable_lesion_says_so(follow_up):
    empty = np.zeros(SHAPE, np.uint8)
    figure = draw_course(compare_registered([scan(empty, "a"), scan(empty, "b")], [UNMOVED]))
    assert [text.get_text() for text in figure.axes[1].texts] == [
        "no measurable lesion in the first scan"
    ]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["a", "b"]
    assert not draw_course(follow_up).axes[1].texts


def test_three_scans_are_listed_and_the_last_two_compared(later):
    scans = [scan(tumour(), "a"), scan(tumour(), "b"), scan(later, "c")]
    found = compare_registered(scans, [UNMOVED, UNMOVED])
    assert len(found.response.sums_mm2) == 3
    assert [each.kind.value for each in found.changes] == ["new", "grown", "gone"]
    page = Page(follow_up_page(found, ReportDetails()))
    assert all(f"{name}_seg.nii.gz" in page.text for name in "abc")


def test_json_follows_its_schemas(follow_up, tmp_path):
    write_follow_up_json(follow_up, ReportDetails(patient="P"), tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    schema = json.loads((DOCS / "follow-up.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [each["scan_date"] for each in content["scans"]] == ["2026-01-01", "2026-03-01"]
    of_scan = Resource.from_contents(json.loads((DOCS / "report.schema.json").read_text()))
    registry = Registry().with_resource("report.schema.json", of_scan)
    validator = jsonschema.Draft202012Validator(schema, registry=registry)
    validator.validate(content)
    del content["scans"][0]["volumes_ml"]
    assert not validator.is_valid(content)


def test_the_table_of_changes_has_empty_cells_for_what_is_not_there(follow_up, tmp_path):
    warnings = ("no left and right; see A", "no brain")
    write_changes(follow_up, ReportDetails(warnings=warnings), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        new, grown, gone = csv.DictReader(file)
    assert new["warnings"] == gone["warnings"] == "no left and right; see A | no brain"
    assert (new["change"], new["earlier_mm3"], new["relative"]) == ("new", "", "")
    assert (gone["change"], gone["current_mm3"], gone["current_axial_mm"]) == ("gone", "", "")
    assert (new["earlier_axial_slice"], gone["current_axial_slice"]) == ("", "")
    assert int(gone["earlier_axial_slice"]) == follow_up.changes[2].earlier[0].lesion.slices[0]
    assert (grown["current_has_cavity"], gone["current_has_cavity"]) == ("false", "")
    assert float(grown["relative"]) == pytest.approx(follow_up.changes[1].relative, rel=1e-6)


def test_contours_and_legend_are_those_of_the_regions_that_the_masks_tell(later):
    known = (TissueClass.BACKGROUND, TissueClass.ET)
    scans = []
    for name, classes in (("P_visit1", tumour()), ("P_visit2", later)):
        et = np.where(classes == TissueClass.ET, TissueClass.ET, 0).astype(np.uint8)
        case = brain_case(name)
        measures = measure_case(case, Segmentation(name, et, case.grid, known=known))
        scans.append(Scan(case, et, measures, "", f"{name}_seg.nii.gz"))
    page = Page(follow_up_page(compare_registered(scans, [UNMOVED]), ReportDetails(patient="P")))
    captions = [picture["alt"] for picture in page.all("img")]
    assert any("contours of ET" in caption for caption in captions)
    assert not any("contours of ET, " in caption or "TC" in caption for caption in captions)
    assert "ET enhancing tumour" in page.text and "WT whole tumour" not in page.text
