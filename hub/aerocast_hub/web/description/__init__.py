"""What the API's description says beyond what Litestar reads off the handlers."""
