"""Everything that travels between Peygir's processes: one file per producer, frozen, versioned, no I/O."""
