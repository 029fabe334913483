"""What a subset must beat: random, longest, IFD, quality and diversity."""
