"""How a gateway gets a certificate of the hub's authority, and keeps having one."""
