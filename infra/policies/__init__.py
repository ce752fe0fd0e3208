"""Rules that every deployment is held to: one for each control that applies to the stack, and our own."""
