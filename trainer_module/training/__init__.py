"""Training of one model: loop, optimizer, losses, schedule, strategy, resuming."""
