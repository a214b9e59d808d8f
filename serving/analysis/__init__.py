"""Analysis of predictions on labelled images: figures, intervals, curves, comparisons.

NumPy and SciPy alone; nothing here reads a file, a model or a clock. `predicted` holds the
predictions, `compute` makes `findings` of them: `figures` over the replicates of `bootstrap`, by
`groups` and `slices`, `curves`, `delong`, `shortcuts`, `drift`. `corruptions` corrupts images.
"""
