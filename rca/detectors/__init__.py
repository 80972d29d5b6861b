"""One file for each signal; the registry finds the constant ``DETECTOR`` at its end."""
