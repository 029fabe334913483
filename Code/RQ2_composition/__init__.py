"""RQ2: which kinds of task teach, and in which mixture."""
