"""The network for other programs: ONNX, and a MONAI bundle. No format here holds a pickle."""

from smalltumor.model_export.monai_bundle import write_bundle
from smalltumor.model_export.onnx_file import write_onnx

__all__ = ["write_bundle", "write_onnx"]
