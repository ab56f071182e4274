"""*Report...* writes a page of the active patient's regions as they are in the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_cases import case_along, write_case_along
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton
from shown_layers import show_segmentation
from smalltumor.data.segmentation import InferenceRun, Segmentation

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.save import save
from napari_smalltumor.layers.metadata import case_of, role_of, set_role
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.report import command
from napari_smalltumor.report.details_dialog import DetailsDialog
from napari_smalltumor.report.stated_details import StatedDetails


def add(viewer, name: str, seed: int) -> Segmentation:
    case = case_along("RAS", name)
    classes = np.random.default_rng(seed).integers(0, 4, case.grid.shape).astype(np.uint8)
    run = InferenceRun(1.0, "cpu", "torch", "starter 7")
    segmentation = Segmentation(case.name, classes, case.grid, run=run)
    show_segmentation(viewer, case, segmentation)
    return segmentation


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    add(viewer, "Other", 1)
    add(viewer, "Pat", 2)
    return viewer


@pytest.fixture
def asked(monkeypatch, tmp_path) -> list[str]:
    """Titles of the dialogs; they are answered with a reader, a date and a name."""
    shown: list[str] = []

    def details(parent, title, scans):
        shown.append(title)
        assert {scan: case.name for scan, case in scans.items()} == {"the scan": title}
        return StatedDetails("A. Reader", ("2026-01-02",))

    def name(parent, title, start, filters, **options):
        shown.append(title)
        return str(tmp_path / "page"), "HTML (*.html)"

    monkeypatch.setattr(command, "ask_for_details", details)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    return shown


def ml(viewer, name: str) -> float:
    return np.count_nonzero(viewer.layers[name].data) * 3 / 1000  # voxels of 1 x 1.5 x 2 mm


@pytest.mark.slow
def test_pages_of_two_visits_of_one_name_are_told_apart(
    make_napari_viewer, qtbot, messages, monkeypatch, tmp_path
):
    viewer = make_napari_viewer()
    for visit in ("visit1", "visit2"):
        open_case(viewer, write_case_along(tmp_path / visit / "P7"))
    case = next(case_of(x) for x in reversed(viewer.layers) if case_of(x) is not None)
    classes = np.random.default_rng(1).integers(0, 4, case.grid.shape).astype(np.uint8)
    show_segmentation(viewer, case, Segmentation(case.name, classes, case.grid))
    title = active_patient(viewer).title
    assert title in ("P7 (visit1)", "P7 (visit2)")
    start = []

    def name(parent, title, proposed, filters, **options):
        start.append(proposed)
        return str(tmp_path / "page.html"), "HTML (*.html)"

    monkeypatch.setattr(command, "ask_for_details", lambda *a: StatedDetails("", ("",)))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    command.ask_and_report(viewer, None)
    qtbot.waitUntil((tmp_path / "page.html").exists)
    visit = case.paths["t1ce"].parent.parent.name
    assert start[0].endswith(f"/P7_{visit}_report.pdf") and visit in title
    page = (tmp_path / "page.html").read_text("utf-8")
    assert f"<title>Report of {title}</title>" in page and "not saved to a file" in page
    assert "The same images are open under another name" in page
    other = ({"visit1", "visit2"} - {visit}).pop()
    assert other not in page
    assert save(viewer, None)
    command.write_report(viewer, case, Destination.confirmed(None, tmp_path / "saved.html", ""))
    qtbot.waitUntil((tmp_path / "saved.html").exists)
    assert "not saved to a file" not in (tmp_path / "saved.html").read_text("utf-8")


@pytest.mark.slow
def test_the_page_is_of_the_active_patient_with_its_edits(viewer, qtbot, asked, messages, tmp_path):
    viewer.layers["Pat WT"].data[...] = 1
    command.ask_and_report(viewer, None)
    qtbot.waitUntil(lambda: bool(messages))
    assert messages == [f"Wrote page.html to {tmp_path}"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Report of Pat</title>" in page and "Other" not in page
    assert f"<td>{ml(viewer, 'Pat WT'):.2f}</td>" in page
    for text in ("A. Reader", "2026-01-02", "starter 7", "regions of the network, edited"):
        assert text in page
    assert asked and all("Pat" in title for title in asked)


def test_another_patient_that_becomes_active_has_its_own_page(
    viewer, qtbot, asked, messages, tmp_path
):
    patients = active_patient(viewer)
    patients.activate(next(p for p in patients.patients if "Other" in patients.title_of(p)))
    command.ask_and_report(viewer, None)
    qtbot.waitUntil(lambda: bool(messages))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Report of Other</title>" in page
    assert f"<td>{ml(viewer, 'Other ET'):.3f}</td>" in page


def test_what_follows_from_a_missing_region_is_not_measured(
    viewer, qtbot, asked, messages, monkeypatch, tmp_path
):
    monkeypatch.setattr(questions, "confirm", lambda *arguments: True)
    for name in ("Pat TC", "Pat WT"):
        del viewer.layers[name]
    command.ask_and_report(viewer, None)
    qtbot.waitUntil(lambda: bool(messages))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count(f"<td>{ml(viewer, 'Pat ET'):.3f}</td>") == 1
    assert page.count("<td>0.00</td>") == 0
    assert "TC and WT have no layer; measures that need it are left out" in page


def test_regions_of_a_mask_of_other_images_are_asked_about_and_the_page_says_so(
    viewer, qtbot, asked, messages, monkeypatch, tmp_path
):
    questioned: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: questioned.append(a[2]) or True)
    layer, text = viewer.layers["Pat ET"], "Pat_smalltumor.nii.gz was made of other images"
    set_role(layer, replace(role_of(layer), other_images=text))
    command.ask_and_report(viewer, None)
    qtbot.waitUntil(lambda: bool(messages))
    assert len(questioned) == 1 and questioned[0].startswith(text)
    assert text in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_hidden_region_is_asked_about(viewer, asked, messages, monkeypatch, tmp_path):
    questioned: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: questioned.append(a[2]) or False)
    viewer.layers["Pat TC"].visible = False
    command.ask_and_report(viewer, None)
    assert "TC is hidden" in questioned[0] and "Report anyway?" in questioned[0]
    assert asked == messages == [] and not list(tmp_path.iterdir())


def test_without_regions_nothing_is_asked(make_napari_viewer, asked, messages):
    command.ask_and_report(make_napari_viewer(), None)
    assert "segment a case first" in messages[0] and not asked


def test_a_name_of_another_kind_is_refused(viewer, asked, messages, monkeypatch, tmp_path):
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **o: (str(tmp_path / "a.docx"), "PDF (*.pdf)")
    )
    command.ask_and_report(viewer, None)
    assert "ends in .pdf, .html or .htm" in messages[0]


@pytest.mark.parametrize("ending", ["_report", "_follow-up"])
def test_a_page_is_written_under_the_name_that_is_proposed(
    viewer, messages, monkeypatch, tmp_path, ending
):
    questioned: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda *a: bool(questioned.append(a[2])))
    monkeypatch.setattr(command, "output_folder", lambda *a: tmp_path)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **o: (a[2], "PDF (*.pdf)"))
    case = case_of(next(layer for layer in viewer.layers if layer.name.startswith("Pat ")))
    destination = command.ask_for_page(viewer, case, None, ending)
    assert destination.path == tmp_path / f"Pat{ending}.pdf"
    assert not destination.overwrite and questioned == []


def test_the_dialog_gives_what_was_typed(qtbot):
    dialog = DetailsDialog(None, "Pat", {"the earlier scan": "", "the current scan": ""})
    qtbot.addWidget(dialog)
    assert dialog.stated == StatedDetails("", ("", ""))
    dialog.reviewer_field.setText("  A. Reader ")
    dialog.date_fields[1].setText("2026-01-02 ")
    assert dialog.stated == StatedDetails("A. Reader", ("", "2026-01-02"))


def test_the_dialog_stays_open_and_says_why_until_the_dates_are_in_order(qtbot):
    dialog = DetailsDialog(None, "Pat", {"the earlier scan": "", "the current scan": ""})
    qtbot.addWidget(dialog)
    go_on = next(b for b in dialog.findChildren(QPushButton) if "file" in b.text())
    for dates, problem in (
        (("2026-12-01", "2026-01-05"), "The current scan is dated 2026-01-05, before the earlier"),
        (("yesterday", ""), "yesterday is not a date such as"),
    ):
        for field, text in zip(dialog.date_fields, dates, strict=True):
            field.setText(text)
        go_on.click()
        assert problem in dialog.problem.text() and not dialog.problem.isHidden()
        assert dialog.result() != DetailsDialog.DialogCode.Accepted
    dialog.date_fields[0].setText("2025-12")
    go_on.click()
    assert dialog.result() == DetailsDialog.DialogCode.Accepted


def test_the_dialog_grows_with_a_long_problem_and_its_fields_stay_where_they_are(qtbot):
    scans = {f"the scan {'BraTS-MET-00086-000_' * 6}{number}": "" for number in (1, 2)}
    dialog = DetailsDialog(None, "Pat", scans)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    fields = [dialog.reviewer_field, *dialog.date_fields]
    before = [field.geometry() for field in fields]
    size = dialog.size()
    for field, text in zip(dialog.date_fields, ("2026-12-01", "2026-01-05"), strict=True):
        field.setText(text)
    go_on = next(b for b in dialog.findChildren(QPushButton) if "file" in b.text())
    go_on.click()
    qtbot.waitUntil(lambda: dialog.height() > size.height())
    qtbot.waitUntil(lambda: [field.geometry() for field in fields] == before)
    assert dialog.width() == size.width()
    label = dialog.problem
    assert label.height() >= label.heightForWidth(label.width())
    assert dialog.rect().contains(label.geometry())
    qtbot.keyClicks(dialog.date_fields[1], "0")
    QApplication.processEvents()
    assert label.isHidden() and dialog.height() == size.height()
    assert [field.geometry() for field in fields] == before
