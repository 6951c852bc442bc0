"""The public door: the chat page, its API, and the proxy for messaging channels (Python 3.12 or later)."""
