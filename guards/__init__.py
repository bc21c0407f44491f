"""Steps between engine and customer; their output never depends on how the text was cut."""
