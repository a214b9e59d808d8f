"""Predictions of DICOM images as DICOM: a structured report, and the heat map as an image.

`job` predicts and writes the files; `result` makes the two instances of one prediction, of which
`measurement_report` and `heat_map_capture` make one each.
"""
