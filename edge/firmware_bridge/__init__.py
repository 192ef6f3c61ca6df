"""What hangs on a serial line: energy meters and lamp controllers that speak Modbus RTU."""
