"""A teacher's answers to the seeds: asked for, run, checked, and chosen."""
