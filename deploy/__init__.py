"""How Peygir is run: images, broker, database and monitoring settings, and the run without containers."""
