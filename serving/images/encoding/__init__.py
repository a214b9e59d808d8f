"""From any file's bytes to what the transform graph decodes: `encoding` is the one door.

JPEG, PNG, GIF and BMP pass as they are. Of others, `formats` recognizes the format, `headers` reads
the size before anything is decoded, and `isolation` has the pixels stored as PNG by a process
apart: `decoding_process`, with `decoders` for images and `serving.images.dicom` for DICOM.
"""
