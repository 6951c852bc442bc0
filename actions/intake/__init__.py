"""The intake conversation as plain functions of plain data; Rasa and the database are at the edges, elsewhere."""
