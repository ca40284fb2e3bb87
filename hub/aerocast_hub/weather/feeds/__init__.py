"""Weather from services elsewhere: fetched politely, by rank, and only where configured."""
