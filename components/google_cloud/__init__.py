"""What Google Cloud takes over from a task: training, Beam's work, serving."""
