"""What every page and every answer has in common: errors, headers, templates, static files."""
