"""Two opinions side by side: what is asked, what differs and why that may be. Takes no side."""
