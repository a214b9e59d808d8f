"""From any file's bytes to what the transform graph decodes: `encoding` is the one door.

JPEG, PNG, GIF and BMP pass as they are. Of the formats that the graph does not decode, `formats`
recognizes them, `headers` reads their size before anything is decoded, `decoders` makes their
pixels, and `encoding` stores these as PNG.
"""
