"""How a network is trained: the presets, and the configuration that the run folder keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import TrainingError
from smalltumor.models.config import NetworkConfig
from smalltumor.training.augmentation.settings import Augmentation

FREE_SETTINGS = frozenset({"compile"})
"""Settings that do not change what a run learns, so that they may differ between folds."""

_VALIDATION_SHARES = ("folds", "validation_stride")

Preset = Literal["paper", "finetune", "starter"]


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained; the defaults are the paper's recipe.

    Parameters
    ----------
    network : NetworkConfig
    preprocessing : Preprocessing
    augmentation : Augmentation
    modality_dropout : float
        Probability with which T1, T2 and FLAIR are each missing in a crop.
    loss : {"generalised_dice", "dice_ce"}
        The paper's generalised Dice, with weight 0 for classes missing in a batch, or region Dice
        plus cross-entropy.
    reconstruction : bool
        False leaves the DMFNet baseline.
    reconstruction_weight : float, optional
        Constant weight of the reconstruction loss; None takes the paper's two phases.
    reconstruction_every : int
        Run the U-modules at each n-th step only, with n times the weight: the same gradient on
        average for less work.
    detach : bool
        Whether the U-modules' targets are fixed, see `losses.reconstruction_loss`.
    relative_reconstruction : bool
        Whether the reconstruction error is divided by the variance of the features.
    epochs, crops_per_case : int
        An epoch draws this many crops of every case.
    minutes : float
        Train for this time instead of `epochs`, over all resumes together; learning rate and
        batch-norm statistics follow the time. 0 trains for `epochs`.
    batch_size : int
        Crops in a step, over all processes.
    crop : int
        Voxels along each axis, a multiple of 16.
    foreground_probability : float
        Share of crops centred on a tumour voxel; the rest lie anywhere in the brain.
    optimiser : {"adam", "adamw"}
        Adam with amsgrad as the backbone published it, or AdamW.
    learning_rate, weight_decay : float
    schedule : {"polynomial", "constant_then_linear"}
        Polynomial decay of power 0.9, or a constant rate that falls linearly over the last 30 %.
    warmup : int
        Steps until the learning rate is reached.
    max_gradient_norm : float
        Gradients with a larger norm are scaled down to it; 0 for no limit.
    ema_decay : float
        Decay of the exponential moving average of the weights; 0 for no average.
    starting_weights_share : float
        Share of the weights that the run starts from in the averaged weights, from 0 to below 1,
        see `optimiser.update_average`.
    freeze_norms_at : float
        After this share of the steps the norms keep the statistics of whole brains, so that
        training and inference see the same function; 1 for never.
    freeze_encoder : bool
        Train the decoders only.
    validation_interval : int
        Epochs between validations.
    batch_norm_cases : int
        Whole brains from which norm statistics are estimated anew for validation and export.
    patience : int
        Stop after this many validations without a better score; 0 for never.
    folds, fold : int
        Validate on fold number `fold`, from 0, of `folds` that are split by `seed` as for a
        cross-validation; with 0 folds, on none.
    validation_stride : int
        Validate on the first patient, by name, and on every n-th after it; 0 for none.
    seed : int
    compile : bool
        Compile the network with ``torch.compile``, which takes a minute or two at the first start.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    modality_dropout: float = 0.0
    loss: Literal["generalised_dice", "dice_ce"] = "generalised_dice"
    reconstruction: bool = True
    reconstruction_weight: float | None = None
    reconstruction_every: int = 1
    detach: bool = True
    relative_reconstruction: bool = False
    epochs: int = 500
    minutes: float = 0.0
    crops_per_case: int = 1
    batch_size: int = 8
    crop: int = 128
    foreground_probability: float = 0.0
    optimiser: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    schedule: Literal["polynomial", "constant_then_linear"] = "polynomial"
    warmup: int = 0
    max_gradient_norm: float = 12.0
    ema_decay: float = 0.0
    starting_weights_share: float = 0.0
    freeze_norms_at: float = 1.0
    freeze_encoder: bool = False
    validation_interval: int = 10
    batch_norm_cases: int = 8
    patience: int = 0
    folds: int = 0
    fold: int = 0
    validation_stride: int = 0
    seed: int = 0
    compile: bool = False

    def __post_init__(self) -> None:
        counts = (
            "epochs",
            "crops_per_case",
            "batch_size",
            "crop",
            "validation_interval",
            "batch_norm_cases",
        )
        for name in (*counts, "reconstruction_every"):
            self._check(name, getattr(self, name) >= 1, "1 or more")
        limits = ("warmup", "patience", "max_gradient_norm", "weight_decay", "minutes")
        for name in (*limits, *_VALIDATION_SHARES):
            self._check(name, 0 <= getattr(self, name) < math.inf, "0 or more")
        for name in ("freeze_norms_at", "foreground_probability"):
            self._check(name, 0 <= getattr(self, name) <= 1, "from 0 to 1")
        self._check("crop", self.crop % 16 == 0, "a multiple of 16")
        self._check("learning_rate", 0 < self.learning_rate < math.inf, "a positive number")
        for name in ("modality_dropout", "ema_decay", "starting_weights_share"):
            self._check(name, 0 <= getattr(self, name) < 1, "at least 0 and below 1")
        self._check("seed", 0 <= self.seed < 2**63, f"from 0 to {2**63 - 1}")
        for name in _VALIDATION_SHARES:
            is_share = getattr(self, name) != 1
            self._check(name, is_share, "2 or more, because 1 would leave no training case")
        if self.folds:
            self._check("fold", 0 <= self.fold < self.folds, f"from 0 to {self.folds - 1}")
        else:
            self._check("fold", self.fold == 0, "0 unless a number of folds is set")

    def _check(self, name: str, is_right: bool, what: str) -> None:
        if not is_right:
            raise TrainingError(f"{name} = {getattr(self, name)} should be {what}")

    @property
    def has_average(self) -> bool:
        """Whether the network of the run has averaged weights."""
        return self.ema_decay > 0 or self.starting_weights_share > 0

    def with_changes(self, changes: Mapping[str, Any]) -> TrainingConfig:
        """A copy with other values for some fields.

        Parameters
        ----------
        changes : mapping of str to value
            ``augmentation`` may be one of `INTENSITIES`, which keeps rotations and flips.

        Raises
        ------
        TrainingError
            If a field is unknown or a value is impossible.
        """
        _check_known(changes)
        name = changes.get("augmentation")
        if isinstance(name, str):
            changes = {**changes, "augmentation": self.augmentation.with_intensities(name)}
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"preprocessing": self.preprocessing.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """The inverse of `to_dict`.

        Raises
        ------
        TrainingError
            If a field is unknown.
        """
        _check_known(values)
        parts = dict(values)
        parts["network"] = NetworkConfig.from_dict(values["network"])
        parts["preprocessing"] = Preprocessing.from_dict(values["preprocessing"])
        parts["augmentation"] = Augmentation(**values["augmentation"])
        return cls(**parts)


def _check_known(changes: Mapping[str, Any]) -> None:
    unknown = set(changes) - {f.name for f in fields(TrainingConfig)}
    if unknown:
        raise TrainingError(f"unknown training settings {', '.join(sorted(unknown))}")


def steps_per_epoch(config: TrainingConfig, cases: int) -> int:
    """Steps that draw `crops_per_case` crops of every case, without a last incomplete batch."""
    return max(1, cases * config.crops_per_case // config.batch_size)


PRESETS: Mapping[str, TrainingConfig] = {
    "paper": TrainingConfig(),
    "finetune": TrainingConfig(
        augmentation=Augmentation(affine_probability=0.2).with_intensities("standard"),
        loss="dice_ce",
        reconstruction_weight=0.05,
        epochs=50,
        crops_per_case=4,
        batch_size=2,
        crop=96,
        foreground_probability=0.75,
        optimiser="adamw",
        learning_rate=1e-4,
        weight_decay=1e-2,
        ema_decay=0.99,
        starting_weights_share=0.75,
        freeze_norms_at=0.0,
        validation_interval=5,
        patience=6,
    ),
    "starter": TrainingConfig(
        augmentation=Augmentation(
            rotate90_probability=0.5, affine_probability=0.4, rotate=15.0, zoom=0.15
        ).with_intensities("strong"),
        loss="dice_ce",
        reconstruction_weight=0.05,
        reconstruction_every=4,
        relative_reconstruction=True,
        epochs=60,
        crops_per_case=4,
        batch_size=2,
        crop=80,
        foreground_probability=0.75,
        optimiser="adamw",
        weight_decay=1e-2,
        schedule="constant_then_linear",
        warmup=50,
        ema_decay=0.995,
        freeze_norms_at=0.5,
    ),
}
"""``paper`` from zero, ``finetune`` from a checkpoint, and ``starter``: fast on a CPU, for few
cases; the shipped weights were made with it, with larger crops and batches."""

assert set(PRESETS) == set(get_args(Preset))
