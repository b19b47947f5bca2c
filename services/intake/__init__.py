"""Takes submissions; owns the catalogue of units, grounds and forms, and the sealed identities."""
