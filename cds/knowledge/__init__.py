"""The clinical knowledge: everything in cards/, read strictly into the types of `cds.engine`."""
