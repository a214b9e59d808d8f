"""Components of ours, and what surrounds the standard TFX components."""
