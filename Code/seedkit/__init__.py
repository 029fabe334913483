"""Shared mechanism of all research questions: no score, category, ratio or prompt lives here."""
