"""The report: every finished folder of a study on one page."""
