"""`run_fn` and what it is made of; it takes values, and knows no paths or configuration files."""
