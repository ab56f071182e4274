"""The napari plugin: open a case, segment it, review small lesions, export."""
