"""Which stream is which subflow of which connection: the machines of `dissector`, run."""
