"""Files that are too large or too old for the database: a folder, or any S3 endpoint."""
