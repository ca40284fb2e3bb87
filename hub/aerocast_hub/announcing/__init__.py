"""Committed events for other systems: on a RabbitMQ exchange, and read from where one stopped."""
