"""Training students on the partitions with LLaMA-Factory: what is checked before, and what runs."""
