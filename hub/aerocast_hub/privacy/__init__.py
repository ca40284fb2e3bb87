"""What is kept of people: where, why, how long; handed out and erased when somebody asks."""
