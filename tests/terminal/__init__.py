"""Tests of what people see in a terminal."""
