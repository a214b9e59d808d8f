"""What a process of ours does with its machine: signals, logs, temporary folders, workers."""
