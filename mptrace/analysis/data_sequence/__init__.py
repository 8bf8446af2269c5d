"""The data sequence space rebuilt: mappings, copies, acknowledgements, order, checksums."""
