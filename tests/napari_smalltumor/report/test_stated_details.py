"""What was stated for one report is proposed for the next one, a date for its own images only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from napari_cases import case_along
from qtpy.QtWidgets import QDialog

from napari_smalltumor import settings
from napari_smalltumor.report import details_dialog
from napari_smalltumor.report.details_dialog import DetailsDialog, ask_for_details
from napari_smalltumor.report.stated_details import LastStated, StatedDetails


@pytest.fixture
def answered(monkeypatch, qtbot):
    """Answer dialogs: gives what they propose, types what is given, and accepts or cancels."""
    monkeypatch.setattr(details_dialog, "LAST_STATED", LastStated())
    code = QDialog.DialogCode

    def answer(
        scans, reviewer=None, dates=(), *, accept=True
    ) -> tuple[StatedDetails, StatedDetails | None]:
        proposed = []

        def run(dialog):
            proposed.append(dialog.stated)
            if reviewer is not None:
                dialog.reviewer_field.setText(reviewer)
            for field, date in zip(dialog.date_fields, dates, strict=False):
                field.setText(date)
            return code.Accepted if accept else code.Rejected

        monkeypatch.setattr(DetailsDialog, "exec_", run, raising=False)
        stated = ask_for_details(None, "Pat", scans)
        return proposed[0], stated

    return answer


@pytest.fixture
def scans():
    """The scans of two patients of one name, and of one of them a second time."""
    first = case_along("RAS", "Pat")
    other = case_along("RAS", "Pat")
    changed = {name: volume + 1 for name, volume in other.volumes.items()}
    return first, replace(other, volumes=changed), case_along("RAS", "Pat")


def test_a_date_is_proposed_for_the_images_that_it_was_stated_for(answered, scans):
    first, other, again = scans
    proposed, stated = answered({"the scan": first}, "A. Reader", ["2026-01-02"])
    assert proposed == StatedDetails("", ("",)) and stated == StatedDetails(
        "A. Reader", ("2026-01-02",)
    )
    assert answered({"the scan": other})[0] == StatedDetails("", ("",))
    answered({"the scan": first}, "A. Reader", ["2026-01-02"])
    both = {"the earlier scan": again, "the current scan": other}
    assert answered(both)[0] == StatedDetails("", ("2026-01-02", ""))
    assert answered({"the scan": again})[0] == StatedDetails("A. Reader", ("2026-01-02",))


def test_a_reviewer_is_not_proposed_to_another_reader(answered, scans):
    settings.put("reader", "A. Reader")
    case = {"the scan": scans[0]}
    answered(case, "A. Reader, MD", ["2026-01-02"])
    assert answered(case)[0] == StatedDetails("A. Reader, MD", ("2026-01-02",))
    settings.put("reader", "B. Reader")
    assert answered(case)[0] == StatedDetails("", ("2026-01-02",))


def test_what_was_cancelled_is_not_proposed_and_what_was_removed_is_gone(answered, scans):
    case = {"the scan": scans[0]}
    assert answered(case, "A. Reader", ["2026"], accept=False)[1] is None
    assert answered(case, "B. Reader", ["2025"])[0] == StatedDetails("", ("",))
    assert answered(case, "", [""])[0] == StatedDetails("B. Reader", ("2025",))
    assert answered(case)[0] == StatedDetails("", ("",))


def test_a_mask_without_images_has_no_date_of_another_one(answered, scans):
    alone = replace(scans[0], volumes={})
    answered({"the scan": alone}, "A. Reader", ["2026-01-02"])
    assert answered({"the scan": alone})[0] == StatedDetails("", ("",))
