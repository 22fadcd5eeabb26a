"""A simulated board: pins, a room with physics, a serial end, a 1-wire bus, in its own process.

`agentd-board --run DIR` starts it; `pins = "board"` in the configuration uses it. It outlives the
programs that use it, so its edge log witnesses what a dead one left behind.
"""
