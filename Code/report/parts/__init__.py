"""One module for each kind of folder: reads it into plain data that a template of the same name shows."""
