"""The table of a study's series, with a combo box for what each is used as."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.scanner.sequences.selection import DescribedSeries
from smalltumor.scanner.series import Series
from superqt import QElidingLabel

from napari_smalltumor.scanner.plan import SHOWN_ORDER
from napari_smalltumor.widgets.guarded_fields import guard_fields

_COLUMNS = ("Series", "Use as", "Reason", "Voxels")
_SERIES, _USE, _REASON, _VOXELS = range(len(_COLUMNS))
_WIDTHS = {_SERIES: 240, _USE: 124, _VOXELS: 176}
_LINES = 2.4
"""Least height of a row in lines of text; a longer reason makes it higher."""

_ITEMS = "QTableView::item { padding: 6px 3px; border-bottom: 1px solid rgba(128, 128, 128, 64); }"
"""Reasons of several lines are told apart by a line below each row, in light and dark themes."""

_UNUSED = "not used"


class SeriesTable(QTableWidget):
    """Lists series; each has a combo box of the four sequences.

    Emits `use_changed` with the series and its modality, or None, when the user chooses.
    """

    use_changed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().setVisible(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWordWrap(True)
        self.setShowGrid(False)
        self.setStyleSheet(_ITEMS)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        height = round(_LINES * self.fontMetrics().lineSpacing())
        self.verticalHeader().setMinimumSectionSize(height)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_REASON, QHeaderView.ResizeMode.Stretch)
        for index, width in _WIDTHS.items():
            self.setColumnWidth(index, width)

    def show_series(self, described: Sequence[DescribedSeries]) -> None:
        """Show series with their use and the reason; the order of known series stays."""
        ordered = self._in_known_order(described)
        self.setRowCount(len(ordered))
        titles = _titles([each.series for each in ordered])
        for number, (each, title) in enumerate(zip(ordered, titles, strict=True)):
            self._fill(number, each, title)

    def _in_known_order(self, described: Sequence[DescribedSeries]) -> list[DescribedSeries]:
        """The order that is shown, so that no row moves when its use is changed."""
        items = [self.item(number, _SERIES) for number in range(self.rowCount())]
        known = [item.data(Qt.ItemDataRole.UserRole) for item in items if item is not None]
        by_series = {id(each.series): each for each in described}
        if set(map(id, known)) != set(by_series):
            return list(described)
        return [by_series[id(series)] for series in known]

    def _fill(self, number: int, each: DescribedSeries, title: str) -> None:
        voxels = each.series.describe_voxels().replace(" voxels of ", "\n")
        for index, text in ((_SERIES, ""), (_REASON, each.reason), (_VOXELS, voxels)):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(number, index, item)
        self.item(number, _SERIES).setData(Qt.ItemDataRole.UserRole, each.series)
        self.setCellWidget(number, _SERIES, _label(title, bold=each.modality is not None))
        self.setCellWidget(number, _USE, self._combo(each))

    def _combo(self, each: DescribedSeries) -> QComboBox:
        combo = QComboBox()
        guard_fields(combo)
        combo.setAccessibleName(f"Use {each.series.title} as")
        combo.addItem(_UNUSED, None)
        for modality in SHOWN_ORDER:
            combo.addItem(MODALITY_TITLES[modality], modality)
        combo.setCurrentIndex(max(0, combo.findData(each.modality)) if each.modality else 0)
        combo.activated.connect(
            lambda index: self.use_changed.emit(each.series, combo.itemData(index))
        )
        return combo


def _titles(series: Sequence[Series]) -> list[str]:
    """Titles of series; files of several folders have their folder in it."""
    files = [each for each in series if each.files == (each.location,)]
    if len({each.location.parent for each in files}) < 2:
        return [each.title for each in series]
    return [f"{s.location.parent.name}/{s.title}" if s in files else s.title for s in series]


def _label(title: str, *, bold: bool) -> QElidingLabel:
    """The title of a series, cut in its middle; bold if it is used."""
    label = QElidingLabel(title)
    label.setElideMode(Qt.TextElideMode.ElideMiddle)
    label.setToolTip(title)
    label.setMargin(4)
    font = label.font()
    font.setBold(bold)
    label.setFont(font)
    return label
