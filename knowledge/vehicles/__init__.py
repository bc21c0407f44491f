"""Makes and models, found by what customers call them."""

from knowledge.vehicles.lookup import Mention, Vehicles
from knowledge.vehicles.register import Vehicle

__all__ = ["Mention", "Vehicle", "Vehicles"]
