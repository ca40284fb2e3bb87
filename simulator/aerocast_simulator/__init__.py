"""An airport that speaks the real wire protocols, met from outside like the real one."""
