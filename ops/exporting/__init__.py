"""How the database becomes files again: which documents change, which are new, and how the files are written."""
