"""The page of a case: what it says, that it is self-contained, and that it is safe."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from full_disks import files_limited_to
from report_cases import GRID, SHAPE, Page, ball, brain_case, tumour
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import Action, OutputError
from smalltumor.extras import MissingPackageError
from smalltumor.labels.regions import REGION_COLOURS, Region, TissueClass
from smalltumor.measures import measure_case, measure_classes
from smalltumor.report import ReportDetails, case_page, image_warnings, write_page
from smalltumor.report.page import MAX_PICTURES, legend
from smalltumor.report.page_files import book_of
from smalltumor.report.texts import pieces

DETAILS = ReportDetails(patient="P7", scan_date="2026-01-02", mask="m.nii.gz", reviewer="A. Reader")
NETWORK = MadeBy.network("net", "0" * 64, "1")


@pytest.fixture(scope="module")
def case():
    return brain_case()


@pytest.fixture(scope="module")
def measures(case):
    return measure_case(case, Segmentation("case", tumour(), case.grid))


@pytest.fixture(scope="module")
def page(case, measures) -> Page:
    return Page(case_page(case, tumour(), measures, DETAILS))


def test_it_begins_with_research_only(page):
    assert page.text.split("case", 1)[1].strip().startswith("Research only. Not a medical device")


def test_it_says_where_the_mask_is_from(page):
    for text in ("Patient P7", "2026-01-02", "m.nii.gz", "A. Reader", "Model not stated"):
        assert text in page.text


def test_it_has_the_numbers_of_the_measures(page, measures):
    sums = measures.sums
    assert f"{measures.volumes_ml['et']:.2f}" in page.text
    assert f"product {sums.product_mm2:.0f} mm²" in page.text
    small = measures.small_lesions[0].lesion
    assert f"{small.mm3:,.0f} mm³, {small.side}, axial {small.slices[0]}" in page.text
    assert "2 lesions, 1 small (below 2,000 mm³), 1 measurable" in page.text


def test_it_needs_no_other_file(page):
    pictures = page.all("img")
    assert len(pictures) == 5 + 1  # slices, and one small lesion
    assert all(picture["src"].startswith("data:image/png;base64,") for picture in pictures)
    assert not page.all("link") and not page.all("script")


def test_a_browser_that_darkens_pages_does_not_invert_the_pictures(page):
    assert {"name": "color-scheme", "content": "only light"} in page.all("meta")


def test_it_names_the_slice_of_the_diameters_and_marks_those_beside_a_cavity(page, measures):
    (target,) = measures.measurable
    axial = target.lesion.axial
    assert axial.has_cavity
    row = f"{axial.longest_mm:.1f} × {axial.perpendicular_mm:.1f}‡ {axial.product_mm2:.0f}"
    assert f"{row} {axial.slice_number} in the sum {target.lesion.side}" in page.text
    axial = measures.small_lesions[0].lesion.axial
    assert f"{axial.perpendicular_mm:.1f} {axial.product_mm2:.0f} {axial.slice_number}" in page.text


def test_pictures_and_tables_can_be_read_without_eyes(page):
    assert page.all("html") == [{"lang": "en"}]
    assert all(picture["alt"] for picture in page.all("img"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))


def test_text_of_files_is_no_markup(case, measures):
    evil = '<script>alert("x")</script><img src=http://e.vil/>'
    details = ReportDetails(evil, evil, evil, evil, evil, (evil,))
    page = Page(case_page(case, tumour(), replace(measures, name=evil), details))
    assert not page.all("script")
    assert all(picture["src"].startswith("data:") for picture in page.all("img"))
    assert page.text.count('<script>alert("x")</script>') >= 7


def test_a_mask_without_a_lesion_has_no_diameters(case):
    empty = np.zeros(SHAPE, np.uint8)
    page = Page(case_page(case, empty, measure_classes(empty, GRID, name="case"), DETAILS))
    assert "No enhancing lesion. 0 foci" in page.text
    assert "is measurable" not in page.text
    assert "ET enhancing tumour 0.00 – – – – – –" in page.text


def test_a_table_that_is_wider_than_the_window_can_be_scrolled_by_keys(page):
    names = [each["aria-label"] for each in page.all("div") if each.get("class") == "scroll"]
    assert names == ["Table of regions", "Table of lesions"]
    assert len([each for each in page.all("div") if each.get("tabindex") == "0"]) == len(names)


def test_of_many_small_lesions_the_largest_have_pictures_and_all_are_listed(case):
    classes = np.zeros(SHAPE, np.uint8)
    for n in range(MAX_PICTURES + 3):
        ball(classes, (10 + n % 9 * 5, 20 + n // 9 * 8, 20), 1)
    page = Page(case_page(case, classes, measure_classes(classes, GRID, name="case"), DETAILS))
    assert len(page.all("img")) == 5 + MAX_PICTURES
    assert "27 lesions, 27 small" in page.text
    rows = [cell for cell in page.all("th") if cell["scope"] == "row"]
    assert len(rows) == 5 + 5 + MAX_PICTURES + 3


def test_every_lesion_has_one_row_which_says_what_it_is_to_rano(case):
    classes = ball(np.zeros(SHAPE, np.uint8), (20, 20, 20), 7)  # a thin rim
    ball(classes, (20, 20, 20), 6, value=1)
    for n in range(6):
        ball(classes, (45, 8 + 11 * n, 20), 4)
    ball(classes, (20, 50, 20), 1)
    measures = measure_classes(classes, GRID, name="case")
    assert len(measures.measurable) == 6
    rows = rows_of_lesions(Page(case_page(case, classes, measures, DETAILS)))
    assert [row[1] for row in rows] == [f"{x.lesion.mm3:,.0f}" for x in measures.lesions]
    assert Counter(row[5] for row in rows) == {"in the sum": 5, "measurable": 1, "–": 2}


def test_a_lesion_is_found_by_slice_and_by_patient_coordinates(case, page, measures):
    for row, each in zip(rows_of_lesions(page), measures.lesions, strict=True):
        x, y, z = each.centre
        assert np.allclose(GRID.to_patient(each.lesion.indices.mean(axis=0)), each.centre)
        numbers = [f"{round(mm) + 0.0:.0f}".replace("-", "−") for mm in (x, y, z)]
        assert row[9].split() == ["x", numbers[0], "y", numbers[1], "z", numbers[2]]
        assert row[8] == str(each.lesion.slices[0])


def test_lesions_to_which_a_reader_added_voxels_are_marked(case, measures, page):
    assert "†" not in page.text
    shares = (0.1, *(0.09 for _ in measures.lesions[1:]))
    lesions = tuple(
        replace(each, added_share=share)
        for each, share in zip(measures.lesions, shares, strict=True)
    )
    added = Page(case_page(case, tumour(), replace(measures, lesions=lesions), DETAILS))
    assert [row[0][-1] == "†" for row in rows_of_lesions(added)] == [n == 0.1 for n in shares]
    assert "†: at least a tenth of the lesion" in added.text


@pytest.mark.parametrize(
    ("made_by", "share", "said"),
    [
        (NETWORK.edited, None, True),
        (NETWORK.edited, 0.2, False),
        (NETWORK, None, False),
        (MadeBy("MANUAL"), None, False),
        (None, None, False),
    ],
)
def test_a_page_says_if_it_is_not_known_which_lesions_a_reader_added(
    case, measures, made_by, share, said
):
    lesions = tuple(replace(each, added_share=share) for each in measures.lesions)
    details = replace(DETAILS, made_by=made_by)
    found = Page(case_page(case, tumour(), replace(measures, lesions=lesions), details))
    assert ("Which lesions a reader added or changed is not known" in found.text) == said


def rows_of_lesions(page: Page) -> list[list[str]]:
    """The texts of the cells of the table of lesions."""
    return [row for row in page.rows if len(row) == 10 and row[0] != "Lesion"]


def test_a_page_is_headed_by_the_title_of_the_case_among_others(case, measures):
    page = Page(case_page(case, tumour(), measures, replace(DETAILS, title="P7 (visit2)")))
    assert page.text.startswith("Report of P7 (visit2) Research only")
    assert "P7 (visit2) Patient P7" in page.text


def test_each_printed_page_has_the_title_of_the_case_whatever_it_is(case, measures):
    title = 'Zoë "Z" } </style>'
    html = case_page(case, tumour(), measures, replace(DETAILS, title=title))
    assert r'content: "Report of Zo\eb  \22 Z\22  \7d  \3c \2f style\3e "' in html
    assert html.count("</style>") == 1


def test_warnings_are_listed(case, measures):
    details = replace(DETAILS, warnings=("the brain is cut off",))
    page = Page(case_page(case, tumour(), measures, details))
    assert "Reasons to doubt these numbers the brain is cut off" in page.text


def test_a_page_is_written_as_html_or_pdf(case, measures, tmp_path):
    html = case_page(case, tumour(), measures, DETAILS)
    assert write_page(html, tmp_path / "a.html").read_text(encoding="utf-8") == html
    assert write_page(html, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    with pytest.raises(OutputError, match="exists"):
        write_page(html, tmp_path / "a.pdf")
    with pytest.raises(OutputError, match=r"ends in \.html or \.pdf"):
        write_page(html, tmp_path / "a.docx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "a.pdf"]


def test_a_missing_package_is_said_with_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "plutoprint", None)
    with pytest.raises(MissingPackageError, match="plutoprint") as error:
        write_page("<p>x</p>", tmp_path / "a.pdf")
    assert error.value.remedy.action is Action.INSTALL_REPORT


def test_picture_caption_and_table_name_one_slice(case):
    """Also where another slice has more of the lesion than that of its centre."""
    classes = np.zeros(SHAPE, np.uint8)
    classes[20:26, 20:26, 10:12] = 3
    classes[22:24, 22:24, 12:30] = 3
    found = measure_case(case, Segmentation("case", classes, case.grid))
    lesion = found.small_lesions[0].lesion
    page = Page(case_page(case, classes, found, DETAILS))
    centre = lesion.slices[0]
    assert centre not in (28, 29)
    assert f"mm³, {lesion.side}, axial {centre}" in page.text
    assert any(picture["alt"].endswith(f"in axial slice {centre}") for picture in page.all("img"))


def test_the_largest_slices_say_of_what_they_are(case, page):
    assert "Largest slices of the tumour core" in page.text
    edema = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 9, value=TissueClass.ED)
    for classes, title in ((edema, "Largest slices of the whole tumour"), (0 * edema, "Middle")):
        found = measure_classes(classes, GRID, name="case")
        assert title in Page(case_page(case, classes, found, DETAILS)).text


def test_names_break_after_separators_and_dates_do_not_break():
    assert pieces("P_a_seg.nii.gz, label scheme") == ["P_", "a_", "seg.nii.gz, label scheme"]
    assert pieces("2026-12-01") == ["2026-12-01"]
    assert pieces("sub-01") == ["sub-01"] and pieces("follow-up") == ["follow-", "up"]
    assert [len(piece) for piece in pieces("x" * 60)] == [24, 24, 12]


def test_a_few_lines_too_many_do_not_need_a_page():
    """They are printed a little smaller instead."""
    plutoprint = pytest.importorskip("plutoprint")

    def html(lines: int) -> str:
        body = "<p>line</p>" * lines
        return f"<style>p {{ margin: 0; line-height: 2 }}</style><body>{body}</body>"

    def normal_pages(lines: int) -> int:
        book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NORMAL)
        book.load_html(html(lines))
        return int(book.get_page_count())

    too_many = next(n for n in range(5, 200) if normal_pages(n) == 2)
    assert book_of(html(too_many)).get_page_count() == 1
    assert book_of(html(2 * too_many)).get_page_count() == 2


def test_what_a_network_expects_is_no_doubt_about_the_mask_of_another(case):
    """T1 and T2 are missing."""
    assert any("missing" in text for text in image_warnings(case, of_network=True))
    assert not any("missing" in text for text in image_warnings(case, of_network=False))


def test_regions_that_the_mask_does_not_tell_have_no_contours(case):
    classes = np.where(tumour() == TissueClass.ET, TissueClass.ET, 0).astype(np.uint8)
    known = (TissueClass.BACKGROUND, TissueClass.ET)
    measures = measure_classes(classes, GRID, name="case", known=known)
    page = Page(case_page(case, classes, measures, DETAILS))
    captions = [picture["alt"] for picture in page.all("img")]
    assert any("contours of ET" in caption for caption in captions)
    assert not any("TC" in caption or "WT" in caption for caption in captions)
    assert page.text.count("whole tumour") == 1  # in the table of regions, not in the legend
    assert "WT whole tumour –" in page.text


def test_a_mask_that_does_not_tell_et_is_not_said_to_have_no_lesion(case):
    classes = np.where(tumour() == 0, 0, TissueClass.ED).astype(np.uint8)
    known = (TissueClass.BACKGROUND, TissueClass.ED)
    measures = measure_classes(classes, GRID, name="case", known=known)
    page = Page(case_page(case, classes, measures, DETAILS))
    assert "The mask has no class for enhancing tumour." in page.text
    assert "No enhancing lesion" not in page.text


def test_contours_have_the_colours_of_the_window():
    shown = [each["colour"] for each in legend(list(Region))]
    colours = [[int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)] for colour in shown]
    expected = [REGION_COLOURS[region] for region in Region]
    assert np.allclose(colours, expected, atol=1 / 255)


@pytest.mark.parametrize("ending", [".pdf", ".html"])
def test_a_page_that_does_not_fit_on_the_disk_is_an_error_and_leaves_the_page_before(
    tmp_path, ending
):
    if ending == ".pdf":
        pytest.importorskip("plutoprint")
    path = tmp_path / f"page{ending}"
    path.write_text("before")
    html = f"<p>{'word ' * 3000}</p>"
    with files_limited_to(1000), pytest.raises(OutputError, match="could not be written"):
        write_page(html, path, overwrite=True)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "before"
