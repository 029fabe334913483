"""A whole study from raw downloads to the report, by one command and one file of settings."""
