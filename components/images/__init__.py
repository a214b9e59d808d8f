"""Image folders to TFRecords.

`convert` does it: `layout` lists the files, `beam_jobs` reads them with `decode_check`, `outcomes`
decides where each goes, by `patients`, `splits` and `hold_out`, and `records` is what is written of
them.
"""
