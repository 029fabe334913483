"""Seed data: the public releases in the form that all other scripts read, cleaned."""
