"""Image folders to TFRecords.

`convert` does it: `serving.images.layout` lists the files, `inspection` reads them with
`serving.images.decode_check`, `outcomes` decides where each goes, by patient and by `splits`, and
`records` is what is written of them, and `serving.files.publication` puts the whole into place.
"""
