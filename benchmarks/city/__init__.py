"""A city of a million cases, written into the databases as the product itself would have written it (README.md beside)."""
