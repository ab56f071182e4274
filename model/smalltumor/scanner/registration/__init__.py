"""Rigid registration of the sequences to T1CE."""
