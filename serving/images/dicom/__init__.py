"""DICOM files: their image as a PNG, and the few facts of their tags that are used."""
