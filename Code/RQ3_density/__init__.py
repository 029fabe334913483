"""RQ3: do instructions unlike the others teach more."""
