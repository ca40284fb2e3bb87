"""How a service that runs alone asks another one: over HTTP, patiently, and not for ever."""
