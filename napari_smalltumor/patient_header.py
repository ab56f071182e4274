"""The header of every dock: the active patient, what is being read, and removed layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)
from smalltumor.text import list_text
from superqt import QElidingLabel

from napari_smalltumor import keys
from napari_smalltumor.closing.close_patient import close_patient, reopen_closed
from napari_smalltumor.export.edited_labels import save_edited_labels
from napari_smalltumor.export.save import save
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.unopened_exports import button_text, unopened_exports
from napari_smalltumor.layers.masks.region_masks import mask_warnings_among, other_images_among
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.loading.first_case import FirstCase
from napari_smalltumor.loading.open_case import open_case_folder
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.main_window.segment_dock_opener import segment_dock_opener
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.closed_list import ClosedPatientsList
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.patients.removed.removed_layers import removed_layers
from napari_smalltumor.patients.same_images import same_images_texts
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.widgets.elided_combo_box import elide_long_texts
from napari_smalltumor.widgets.layouts import allow_shrinking, button, wrapped_label

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

NO_PATIENT = "no patient is shown"
_BUTTON_WIDTH = 26


class PatientHeader(QWidget):
    """Names the active patient of a viewer, makes another one active, and closes it.

    While no patient is open, it says how to open one.

    Parameters
    ----------
    viewer : Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        segment_dock_opener(viewer).end()
        self._viewer = viewer
        self._patients = active_patient(viewer)
        self._removed = removed_layers(viewer)
        self._saved = save_state(unproxied(viewer))
        self._exports = unopened_exports(unproxied(viewer))
        self.closed_list = ClosedPatientsList(
            closed_patients(viewer), lambda patient: reopen_closed(viewer, patient)
        )
        self.picker = _PatientPicker()
        self.close_button = button("✕", "Close this patient: remove all of its layers")
        self.close_button.setAccessibleName("Close patient")
        self.close_button.setFixedWidth(_BUTTON_WIDTH)
        self.open_button = button("+", "Open another patient's folder; or drop it on this dock")
        self.open_button.setAccessibleName("Open case")
        self.open_button.setFixedWidth(_BUTTON_WIDTH)
        self.save_button = button("Save", "")
        self._actions = QWidget()
        self.restore_button = button("", "Bring back layers that were removed")
        self.export_button = button("", "")
        self.warnings = wrapped_label()
        self.reading = QElidingLabel()
        self.first_case = FirstCase(viewer)
        self._lay_out()
        self.picker.activated.connect(self._choose)
        self.open_button.clicked.connect(lambda: open_case_folder(self._viewer))
        # The second click of a double click would close the next patient.
        self._just_closed = QTimer(self)
        self._just_closed.setSingleShot(True)
        self.close_button.clicked.connect(self._close_patient)
        self.restore_button.clicked.connect(self._restore)
        self.export_button.clicked.connect(self._open_export)
        self._patients.changed.connect(self._update)
        self._patients.patients_changed.connect(self._update)
        self._patients.arrivals.changed.connect(self._update)
        self._removed.changed.connect(self._update)
        self._exports.changed.connect(self._update)
        self._saved.changed.connect(self._on_masks)
        self.save_button.clicked.connect(self._save)
        self._update()

    def _lay_out(self) -> None:
        label = QLabel("<b>Patient</b>")
        label.setBuddy(self.picker)
        name, actions = QHBoxLayout(), QHBoxLayout(self._actions)
        actions.setContentsMargins(0, 0, 0, 0)
        for line in (name, actions):
            line.setSpacing(6)
        name.addWidget(label)
        name.addWidget(self.picker, 1)
        actions.addWidget(self.save_button, 1)
        actions.addWidget(self.open_button)
        actions.addWidget(self.close_button)
        policy = self.save_button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the others keep their places
        self.save_button.setSizePolicy(policy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(name)
        layout.addWidget(self._actions)
        layout.addWidget(self.warnings)
        layout.addWidget(self.first_case)
        layout.addWidget(self.reading)
        layout.addWidget(self.restore_button)
        layout.addWidget(self.export_button)
        layout.addWidget(self.closed_list)

    def _choose(self, row: int) -> None:
        patient = self.picker.itemData(row)
        if patient in self._patients.patients:
            self._patients.activate(patient)
            window = planes_window(self._viewer)
            if window is not None:
                window.focus_images()  # keys are meant for the patient that was chosen

    def _close_patient(self) -> None:
        if self._patients.current is None or self._just_closed.isActive():
            return
        if close_patient(self._viewer, self._patients.current, self):
            self._just_closed.start(QApplication.doubleClickInterval())

    def _save(self) -> None:
        """Save the masks; without any, the edited labels for which the button is shown."""
        viewer, current = unproxied(self._viewer), self._patients.current
        if self._saved.has_masks or current is None:
            save(viewer, self)
        else:
            save_edited_labels(viewer, current, self)

    def _restore(self) -> None:
        if self._patients.current is not None:
            self._removed.restore(self._patients.current)

    def _open_export(self) -> None:
        if self._patients.current is not None:
            self._exports.open(self._patients.current)

    def _update(self) -> None:
        if not isalive(self):  # the viewer's patients exist longer than a dock
            return
        current, patients = self._patients.current, self._patients.patients
        self.picker.show_patients(
            [(self._patients.title_of(p), p.location, p) for p in patients],
            patients.index(current) if current in patients else -1,
        )
        self.close_button.setEnabled(current is not None)
        self._on_masks()
        reading = self._patients.arrivals.reading
        self.reading.setText(f"Reading {reading} ...")
        self.reading.setVisible(bool(reading))
        self.first_case.setVisible(not patients and not reading)
        self._actions.setVisible(current is not None)
        names = self._removed.of(current)
        self.restore_button.setText(f"Restore {list_text(names)}")
        self.restore_button.setVisible(bool(names))
        export = self._exports.to_open(current)
        self.export_button.setText(button_text(export) if export is not None else "")
        self.export_button.setToolTip(f"Show {export.where}" if export is not None else "")
        self.export_button.setVisible(export is not None)
        self.closed_list.update_rows()  # a title may need its folder now

    def _on_masks(self) -> None:
        if isalive(self):
            self._update_saved()
            self._update_warnings()

    def _update_warnings(self) -> None:
        """Say in every dock what may be wrong with the images and masks of the active patient.

        Another patient may show the same images. Masks may record other ones, or may not lie where
        the tumour is.
        """
        same_images = same_images_texts(self._patients, self._viewer.layers)
        warnings = [*same_images, *mask_warnings_among(self._patients.layers)]
        self.warnings.setText("\n".join(f"⚠ {text}" for text in warnings))
        self.warnings.setVisible(bool(warnings))

    def _update_saved(self) -> None:
        """Say on the button whether the masks are saved, and in its tooltip where."""
        current = self._patients.current
        if not self._saved.has_masks:
            self._offer_to_save(self._saved.edited_labels)
            return
        # Masks of other images become the case's by saving, so that the button stays enabled.
        regions = [layer for layer in self._patients.layers if region_of(layer) is not None]
        is_of_others = bool(other_images_among(regions))
        is_saved = self._saved.is_saved and not is_of_others
        self.save_button.setVisible(True)
        self.save_button.setEnabled(not is_saved)
        is_unedited = self._saved.is_review and self._saved.written is None
        saved_text = "No edits" if is_unedited else "✓ Saved"
        save_text = self._saved.action_for(current) if current is not None else ""
        self.save_button.setText(saved_text if is_saved else save_text)
        self.save_button.setToolTip(self._saved_text(is_saved))

    def _offer_to_save(self, labels: Sequence[Layer]) -> None:
        """Offer to save edited labels, such as an expert's, of a patient without masks."""
        self.save_button.setVisible(bool(labels))
        self.save_button.setEnabled(bool(labels))
        self.save_button.setText("Save labels...")
        names = list_text(layer.name for layer in labels)
        self.save_button.setToolTip(keys.with_key(f"Save {names} to another file", keys.SAVE))

    def _saved_text(self, is_saved: bool) -> str:
        written, title = self._saved.written, self._patients.title
        if is_saved and self._saved.is_review and written is None:
            how = f"{keys.REVIEWED.sequence} saves them as reviewed by you"
            return f"The masks of {title} have no edits; {how}"
        if is_saved:
            where = "" if written is None else f" in {', '.join(map(str, written.files))}"
            return f"The masks of {title} are saved as they are{where}"
        if self._saved.is_review:
            return keys.with_key(f"Save the masks of {title} as reviewed by you", keys.SAVE)
        since = "" if written is None else "; they have changed since they were saved"
        text = f"Save the masks of {title} beside its images{since}"
        return keys.with_key(text, keys.SAVE)


class _PatientPicker(QComboBox):
    """Lists patients; a long name is cut, and is whole in the tooltip, with its folder."""

    def __init__(self) -> None:
        super().__init__()
        allow_shrinking(self)
        elide_long_texts(self, NO_PATIENT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Active patient")

    def show_patients(self, patients: list[tuple[str, str, object]], current: int) -> None:
        """List patients, each with its title, its location and the patient."""
        listed = [(self.itemText(n), self.itemData(n)) for n in range(self.count())]
        if listed != [(title, patient) for title, _, patient in patients]:
            self.clear()
            for row, (title, location, patient) in enumerate(patients):
                self.addItem(title, patient)
                self.setItemData(row, f"{title}\n{location}", Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(current)
        self.setEnabled(bool(patients))
        chosen = f"{patients[current][0]}\n{patients[current][1]}" if current >= 0 else NO_PATIENT
        self.setToolTip(f"The patient that is shown, edited and exported: {chosen}")
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the dock, so that scrolling cannot change the patient."""
        event.ignore()
