"""Loading, verifying and giving back whole stores, and the laws that hold for all of them."""
