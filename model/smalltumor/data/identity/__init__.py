"""Which patient, case or images something is of: by names, by tables, and by digests of images."""
