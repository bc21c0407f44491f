"""Figures in answers: read in any notation, traced to who said them, withheld when nobody did."""

from guards.figures.guard import figures_guard

__all__ = ["figures_guard"]
