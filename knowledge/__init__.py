"""The words and the rules of the assistant, as data, with the one loader both runtimes use."""
