"""What a request may take, and when its turn comes: memory, cost, batches."""
