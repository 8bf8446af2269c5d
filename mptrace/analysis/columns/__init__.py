"""A capture read into columns: one row a segment, one row a DSS, told apart by TCP stream."""
