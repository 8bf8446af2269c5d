"""What numpy lacks: stable sorting of small keys, sums and percentiles by group, intervals."""
