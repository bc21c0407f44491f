"""Functions that a specialist may call, one file per subject."""
