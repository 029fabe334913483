"""Shared mechanism of the four research questions: records, subsets, manifests, stores. No score, ratio or prompt lives here."""
