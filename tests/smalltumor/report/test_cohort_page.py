"""The page of a cohort: what it says first, its links, and what happens without images."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from cohort_results import WARNING, write_results
from report_cases import Page
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.ranking import CRITERION
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.data.made_by import SEEN_IN_TRAINING
from smalltumor.report.cohort_page import cohort_page


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> tuple[Path, Path]:
    return write_results(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def page(results) -> Page:
    return Page(cohort_page(results[1], results[1] / "cohort.html", most=9))


@pytest.fixture
def copied(results, tmp_path) -> Path:
    """Results that a test may change; their images are those of the others."""
    return Path(shutil.copytree(results[1], tmp_path / "out"))


def test_it_begins_with_research_only_and_says_what_made_the_masks(page):
    assert "Research only. Not a medical device" in page.text.split("Cohort out")[1]
    for text in ("Model starter", "Digest of the weights c0ffee", "software 0.1", "brats2018"):
        assert text in page.text
    assert "4 cases: 3 with a mask, 1 failed" in page.text


def test_cases_that_deserve_a_look_come_first_with_a_picture_and_the_reason(page):
    figure, *pictures = page.all("img")
    assert [picture["alt"].split(",")[0] for picture in pictures] == ["cyd", "bob"]
    assert pictures[1]["alt"] == "bob, axial 9, arrow: candidate, 256 mm³, score 0.40"
    assert f"2 cases deserve a look. {CRITERION}." in page.text
    reasons = "1 warning; lowest probability 0.90; expected Dice 0.93"
    assert f"cyd : {reasons}. Axial 9. {WARNING}" in page.text
    assert figure["alt"].startswith("Histograms")


def test_what_failed_is_listed_with_its_reason(page):
    assert "dan no T1CE image" in page.text


def test_sizes_are_counted_with_the_small_ones(page):
    assert "ET enhancing tumour, cases 3 0 0 3.84 3.84 to 3.97 4.10" in page.text
    assert "enhancing lesions 4 1 –" in page.text


def test_a_case_with_a_lesion_is_none_without_et_though_its_volume_is_rounded_to_zero(copied):
    table = copied / TABLE
    text = table.read_text(encoding="utf-8")
    assert text.count(",3.84,") > 1
    table.write_text(text.replace(",3.84,", ",0.0,", 1), encoding="utf-8")
    text = Page(cohort_page(copied, copied / "cohort.html", most=0)).text
    assert "ET enhancing tumour, cases 3 1 0 " in text


def test_who_has_reviewed_a_case_is_in_its_row(copied, page):
    assert "Reviewed by" not in page.text
    reviews = Reviews(copied)
    begun = reviews.begin("ann")
    reviews.save(begun, read_stored_mask(begun.path, "ann", "brats2018"), "Anna")
    page = Page(cohort_page(copied, copied / "cohort.html", most=0))
    assert "3 with a mask, 1 failed, 1 reviewed" in page.text
    assert "Warnings Reviewed by" in page.text and page.text.count("Anna") == 1


def test_a_damaged_table_of_reviews_is_named_and_its_reviews_left_out(copied):
    reviews = Reviews(copied)
    for case, reader in (("ann", "Anna"), ("bob", "Carl")):
        begun = reviews.begin(case)
        reviews.save(begun, read_stored_mask(begun.path, case, "brats2018"), reader)
    (copied / "reviews" / "Carl" / "reviews.csv").write_bytes(b"\xff\x00 no table")
    text = cohort_page(copied, copied / "cohort.html", most=0)
    assert "1 reviewed" in text
    assert "Anna" in text
    warning = next(line for line in text.splitlines() if "left out" in line)
    assert "reviews.csv" in warning
    assert "Carl" in warning


def test_links_lead_from_the_page_to_the_masks(results, tmp_path):
    for place in (results[1] / "cohort.html", tmp_path / "else.html"):
        links = Page(cohort_page(results[1], place, most=0)).all("a")
        assert len(links) == 3
        for link in links:
            assert (place.parent / unquote(link["href"])).resolve().is_file()


def test_it_needs_no_other_file(page):
    pictures = page.all("img")
    assert pictures and all(picture["src"].startswith("data:image/") for picture in pictures)
    assert not page.all("link") and not page.all("script")


def test_pictures_and_tables_can_be_read_without_eyes(page):
    assert page.all("html") == [{"lang": "en"}]
    assert all(picture["alt"] for picture in page.all("img"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    scrolled = [tag for tag in page.all("div") if tag.get("class") == "scroll"]
    assert scrolled and all(tag["tabindex"] == "0" and tag["aria-label"] for tag in scrolled)


def test_more_cases_than_pictures_are_said(results):
    page = Page(cohort_page(results[1], results[1] / "cohort.html", most=1))
    assert len(page.all("img")) == 2
    assert "The first is shown here ; the table has all." in page.text


def test_cases_without_images_are_listed_without_pictures(copied):
    settings = json.loads((copied / SETTINGS).read_text())
    del settings["data"]
    (copied / SETTINGS).write_text(json.dumps(settings))
    page = Page(cohort_page(copied, copied / "cohort.html", most=9))
    assert page.text.count("No picture: its images were not found") == 2


def test_a_folder_of_images_that_cannot_be_read_is_said(copied, results):
    page = cohort_page(copied, copied / "cohort.html", most=9, data=copied / "none")
    text = f"No picture: its images were not found: {copied / 'none'} is not a folder"
    assert Page(page).text.count(text) == 2


def test_images_that_were_moved_are_found_where_they_are_named(copied, results, tmp_path):
    data = shutil.copytree(results[0], tmp_path / "moved")
    page = Page(cohort_page(copied, copied / "cohort.html", most=9, data=data))
    assert len(page.all("img")) == 3


def test_a_mask_is_not_drawn_on_other_images(copied, results, tmp_path):
    """The images of another patient are under the name of the case."""
    data = tmp_path / "other"
    shutil.copytree(results[0], data)
    for path in (data / "bob").iterdir():
        shutil.copy(data / "ann" / path.name.replace("bob", "ann"), path)
        with path.open("ab") as file:
            file.write(b" ")
    page = Page(cohort_page(copied, copied / "cohort.html", most=9, data=data))
    assert "its images have changed since the mask was made" in page.text
    assert len(page.all("img")) == 2


def test_text_of_files_is_no_markup(copied):
    evil = "<script>alert(1)</script>"
    table = copied / "cohort.csv"
    table.write_text(table.read_text().replace(WARNING, evil).replace("no T1CE image", evil))
    page = Page(cohort_page(copied, copied / "cohort.html", most=9))
    assert not page.all("script")
    assert page.text.count(evil) == 2


def test_the_command_writes_the_page_beside_the_masks_or_elsewhere(smalltumor, copied, tmp_path):
    for _ in range(2):  # its own page is replaced
        code, out, err = smalltumor("cohort-report", copied)
        assert (code, out) == (0, f"wrote {copied / 'cohort.html'}\n"), err
    other = tmp_path / "page.html"
    assert smalltumor("cohort-report", copied, "-o", other, "--pictures", 0)[0] == 0
    assert "All cases with a mask" in other.read_text(encoding="utf-8")
    code, _, err = smalltumor("cohort-report", copied, "-o", other)
    assert (code, "exists" in err) == (1, True)
    code, _, err = smalltumor("cohort-report", copied, "-o", tmp_path / "page.pdf")
    assert (code, "ends in .html" in err) == (1, True)


@pytest.mark.slow
def test_a_cohort_writes_its_page(smalltumor, narrow_weights, results, tmp_path):
    code, out, err = smalltumor(
        *("cohort", results[0], "-o", tmp_path / "out", "--backend", "torch", "--report"),
        *("--weights", narrow_weights),
    )
    assert code == 0, err
    assert f"wrote {tmp_path / 'out' / 'cohort.html'}" in out
    assert "3 cases" in Page((tmp_path / "out" / "cohort.html").read_text(encoding="utf-8")).text


def test_it_says_if_the_weights_were_trained_on_the_patients(copied, page):
    assert "were trained on" not in page.text
    table = copied / TABLE
    table.write_text(table.read_text().replace(WARNING, SEEN_IN_TRAINING))
    text = Page(cohort_page(copied, copied / "cohort.html", most=9)).text
    assert "The weights were trained on the patients of 1 of the 3 cases with a mask" in text
    assert "1 case deserves a look" in text  # bob; that cyd was seen is no reason to look at it
