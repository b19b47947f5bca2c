"""Every sentence a person reads, in Persian and English: one file per area, one loader (texts/README.md)."""
