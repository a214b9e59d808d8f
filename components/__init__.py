"""What happens to data before and beside the standard TFX components."""
