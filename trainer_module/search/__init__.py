"""Search for the trainer's settings, by KerasTuner."""
