"""Evaluating students: samples from a model, graded in a sandbox, and tables over a study."""
