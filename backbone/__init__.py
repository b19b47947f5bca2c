"""The mechanism every process stands on. Shared here is how things are done, never what is decided."""
