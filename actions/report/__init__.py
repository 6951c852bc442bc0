"""Reads a letter or report a patient pasted: its words, what it recommends, what it explains and what it leaves out."""
