"""What is fitted on held-out images: calibration, threshold, triage, domain."""
