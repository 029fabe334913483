"""RQ1: how complex are the instructions, and does complexity teach."""
