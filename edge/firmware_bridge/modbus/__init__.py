"""A Modbus RTU master: frames, question and answer, turns, and the line's thread. It knows no device."""
