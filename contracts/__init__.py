"""Everything that travels between Peygir's processes, one module per producer, frozen and versioned; and the pure rules that
several processes share: tracking codes, identifiers, masking. No I/O."""
