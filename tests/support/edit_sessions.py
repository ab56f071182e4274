"""Sessions of a user who opens, segments, reviews and paints a case, and is asked about edits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from napari.components import ViewerModel
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.case import Case
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList, measure_lesion

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.masks import is_mask
from napari_smalltumor.autosave.restore_question import LATER
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of, region_layers, source_role_of
from napari_smalltumor.lesions.decisions.verdicts import Verdict, decide, is_rejected
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources
from napari_smalltumor.loading.files.single_file import read_single_file
from napari_smalltumor.loading.open_case import open_case

PAINTED = (3, 4, 2)


class User:
    """Questions and messages, and answers of the user; without an answer, *Not now*."""

    def __init__(self, monkeypatch) -> None:
        self.asked, self.messages, self.answers = [], [], []
        monkeypatch.setattr(questions, "ask", self._answer)
        monkeypatch.setattr(notify, "info", self.messages.append)

    def _answer(self, parent, title, text, *answers, harmless):
        self.asked.append(text)
        answer = self.answers.pop(0) if self.answers else LATER
        assert answer in answers
        return answer


class Session:
    """A viewer in which a folder is open."""

    def __init__(self, folder, viewer: ViewerModel | None = None) -> None:
        self.viewer = viewer or ViewerModel()
        self.watcher = ensure_autosave(self.viewer)
        before = len(self.viewer.layers)
        open_case(self.viewer, folder)
        self.case = case_of(self.viewer.layers[before])
        self.watcher.restore_question.ask(self.case)

    def segment(self, first: int = 4, size: int = 2) -> Session:
        """Show a result with a cube of ET."""
        classes = np.zeros(self.case.grid.shape, np.uint8)
        cube = slice(first, first + size)
        classes[cube, cube, cube] = 3
        result = Segmentation(self.case.name, classes, self.case.grid, self.case.header)
        show_segmentation(self.viewer, self.case, result)
        return self

    @property
    def et(self):
        return region_layers(self.viewer.layers, self.case).get(Region.ET)

    @property
    def labels(self):
        """The layer of the label file."""
        return next(x for x in self.viewer.layers if is_mask(x))

    @property
    def is_painted(self) -> bool:
        return self.et is not None and self.et.data[PAINTED] == 1

    def paint(self) -> Session:
        self.et.data_setitem(tuple(np.array([n]) for n in PAINTED), 1)
        return self

    @property
    def source(self):
        return next(s for s in lesion_sources(self.viewer.layers) if s.case is self.case)

    @property
    def lesions(self):
        return self.source.snapshot(Region.ET).lesions(100)

    @property
    def candidate(self):
        spot = measure_lesion(1, np.argwhere(np.ones((2, 2, 2))) + 6, self.case.grid, Region.ET)
        return replace(spot, list_name=LesionList.SECOND_LOOK, score=0.2)

    def review(self) -> Session:
        decide(self.et, Verdict.REJECTED, [self.candidate])
        self.source.accept(Region.ET, self.lesions, True)
        return self

    @property
    def is_reviewed(self) -> bool:
        accepted = [self.source.is_accepted(Region.ET, lesion) for lesion in self.lesions]
        return is_rejected(self.et, self.candidate) and any(accepted)

    @property
    def edits(self):
        return sorted(self.watcher.autosave.folder.root.glob("*/*.safetensors"))

    def crash(self) -> None:
        self.watcher.save_now()
        self.watcher.autosave.wait()
        self.watcher.autosave.folder.unlock()  # as the system does when a process dies


def case_of_file(path: Path) -> Case:
    """The case of a file that is opened alone."""
    return source_role_of(read_single_file(path)[1]["metadata"]).case


def write_patient(folder: Path, *, times: int = 1, labels: bool = False) -> Path:
    """A case named for its folder; the voxels of patients with other `times` differ."""
    write_case_along(folder, "LPS", labels=labels)
    for file in folder.glob("*_t*.nii.gz"):
        image = nib.load(file)
        nib.save(nib.Nifti1Image(times * np.asarray(image.dataobj), None, image.header), file)
    return folder
