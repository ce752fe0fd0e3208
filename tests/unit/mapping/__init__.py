"""The lens between documents and rows: its parts one by one, and its laws."""
