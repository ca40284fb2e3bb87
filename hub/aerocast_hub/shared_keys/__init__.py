"""Several hubs on one database have the same keys: one that has others does not start."""
