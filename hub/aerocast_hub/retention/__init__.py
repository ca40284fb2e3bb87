"""How long things are kept: what is old is forgotten, what is personal sooner."""
