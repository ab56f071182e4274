"""DICOM files as series of slices."""
