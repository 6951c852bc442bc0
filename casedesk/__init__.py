"""The case desk: where intakes and warnings arrive and intake nurses work on them (Python 3.12 or later)."""
