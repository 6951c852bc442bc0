"""What runs inside Rasa (Python 3.10): understanding, red flags, channels, responses, tracker store."""
