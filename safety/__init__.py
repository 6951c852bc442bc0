"""The red-flag detector: pure functions from a patient's words to findings and a tier. No Rasa, no network, no clock."""
