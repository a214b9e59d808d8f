"""What models are made of, and what is done with any of them."""
