"""The figures of docs/definitions.md, summed up over the tables of the data sequence space."""
