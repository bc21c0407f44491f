"""The fault lab: which test shows which row of the list of faults, and the long tests that only the lab has."""
