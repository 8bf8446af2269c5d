"""One packet as a tree of fields, for `dissect` and the browser."""
