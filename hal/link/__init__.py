"""Ways to the parts: one module for each vendor library, nothing of it seen outside."""
