"""The trail of who changed what, when and from where: only ever added to, each line sealed."""
