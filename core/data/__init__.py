"""Data sets: readers, import, procedural pictures, binarisation and the normalisation of drawings."""
