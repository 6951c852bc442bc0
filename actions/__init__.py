"""Custom actions: one file per action, found by the action server (``python -m actions``)."""
