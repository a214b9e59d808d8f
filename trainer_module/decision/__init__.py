"""What is fitted on held-out images: calibration, threshold, domain."""
