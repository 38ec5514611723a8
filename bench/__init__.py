"""Measuring: how well, how fast and in how much memory pages are read, beside other readers. May import everything else."""
