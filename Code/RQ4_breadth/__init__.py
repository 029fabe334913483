"""RQ4: do data of other domains teach a code model."""
