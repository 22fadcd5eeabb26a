"""One file for each part or wire protocol; `hal.registry` lists them."""
